import { linesMissingAt } from '../../api/contract/log-gap.ts';
import type { ContainerStatus, Pod } from '../../api/core/pod/schema.ts';
import { isApiError } from '../../api/errors/api-error.ts';
import type { Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/message-of.ts';
import type { Connection } from '../context.ts';
import { withHint } from '../errors.ts';
import { type LogPart, resumedLines } from '../logs/resumed-log.ts';
import { type LogRead, logReads } from './container-log.ts';
import { type FailedRun, failedRuns } from './failed-runs.ts';
import { podNoticesOf } from './notices/pod-notices.ts';
import type { Screen } from './terminal.ts';

/** Options of {@link FollowedPods}. */
export interface FollowedPodsOptions {
	readonly connection: Connection;
	readonly clock: Clock;
	readonly screen: Screen;
	readonly view: LogView;
	/** Connects to a container that runs. Resolves to true once that has printed its output, and to false if its log has to. */
	readonly connect?: ((pod: Pod, container: string) => Promise<boolean>) | undefined;
	/** The hint printed if an image stands for no program of the Node; undefined: the node agent's message suffices. */
	readonly imageHint?: string | undefined;
	/**
	 * Whether the user has interrupted the run. Its Pods are then being deleted, so missing logs are not
	 * reported.
	 */
	readonly isInterrupted?: (() => boolean) | undefined;
	/** Aborts all reading of logs. */
	readonly signal: AbortSignal;
	/** Called with each error of the connection to the server, before a log is requested again. */
	readonly onError: (error: unknown) => void;
	/** What follows a Pod's failure: `the Job retries in 10s`. Undefined: the failure is not reported. */
	readonly afterFailure: (pod: Pod) => string | undefined;
}

/** Which logs are printed, and how. */
export interface LogView {
	/** The name printed before each line of a container; undefined: lines have no prefix. */
	sourceOf(pod: Pod, container: string): string | undefined;
	/** Whether the log of the container is printed. */
	wants(pod: Pod, container: string): boolean;
	/** The part of each log that is printed. */
	readonly part: LogPart;
}

/** Number of last lines kept per container, for the report of its failure. */
const KEPT_LINES = 5;

/**
 * The Pods of a Job: prints the log of every container, attempt by attempt, and reports once why a Pod does
 * not run and how it failed. It remembers deleted Pods, since the Job controller deletes the active Pods of a
 * Job that fails.
 *
 * 1. Each attempt of a container is printed at most once.
 * 2. The logs of the attempts of one container are printed in order, and the report of a failure after its
 *    log.
 * 3. Nothing is printed after `signal` has aborted.
 */
export class FollowedPods {
	readonly #options: FollowedPodsOptions;
	readonly #pods = new Map<string, Pod>();
	/** Per container, the promise that all log reads so far have been printed. */
	readonly #reading = new Map<string, Promise<void>>();
	readonly #shown = new Set<string>();
	/** The last lines of each attempt, by container ID. */
	readonly #lastLines = new Map<string, readonly string[]>();
	readonly #reported = new Set<string>();
	readonly #reports: Promise<void>[] = [];

	constructor(options: FollowedPodsOptions) {
		this.#options = options;
	}

	/** Handles a new state of a Pod. */
	observe(pod: Pod): void {
		this.#pods.set(pod.metadata.uid ?? '', pod);
		const { initContainerStatuses = [], containerStatuses = [] } = pod.status;
		for (const status of [...initContainerStatuses, ...containerStatuses]) this.#readLogs(pod, status);
		for (const { key, text, lacksProgram } of podNoticesOf(pod)) {
			if (this.#reported.has(key)) continue;
			this.#reported.add(key);
			this.#options.screen.report(withHint(text, lacksProgram ? this.#options.imageHint : undefined));
		}
		for (const run of failedRuns(pod)) {
			if (this.#reported.has(run.key)) continue;
			this.#reported.add(run.key);
			this.#reports.push(this.#reportFailure(pod, run));
		}
	}

	/** All Pods observed so far, deleted ones included, in their last observed state. */
	all(): readonly Pod[] {
		return [...this.#pods.values()];
	}

	/** The last log lines of the attempt of a container; none if it has written nothing. */
	lastLines({ containerId = '' }: { readonly containerId?: string }): readonly string[] {
		return this.#lastLines.get(containerId) ?? [];
	}

	/** Resolves once all logs that are being read, and all failures, have been printed. */
	async drained(): Promise<void> {
		await Promise.all(this.#reading.values());
		await Promise.all(this.#reports);
	}

	/** Reports a failure, below the log of the container that failed. */
	async #reportFailure(pod: Pod, run: FailedRun): Promise<void> {
		const { container, how, restart } = run;
		if (container !== undefined) await this.#reading.get(keyOf(pod, container));
		if (this.#options.signal.aborted) return;
		const next = restart === undefined ? this.#options.afterFailure(pod) : `the container ${restart}`;
		if (next === undefined) return;
		const who = container === undefined ? '' : ` container ${container}:`;
		const line = this.lastLines(run).at(-1);
		const quoted = line === undefined ? '' : `: ${shortened(line)}`;
		this.#options.screen.report(`pod/${pod.metadata.name} failed:${who} ${how}${quoted}; ${next}`);
	}

	#readLogs(pod: Pod, status: ContainerStatus): void {
		if (!this.#options.view.wants(pod, status.name)) return;
		const key = keyOf(pod, status.name);
		const isRunning = status.state?.running !== undefined;
		for (const { containerId, how } of logReads(pod, status, this.#shown)) {
			this.#shown.add(containerId);
			const before = this.#reading.get(key) ?? Promise.resolve();
			this.#reading.set(
				key,
				this.#read(pod, { container: status.name, containerId, how, before, isRunning }),
			);
		}
	}

	/** Why a log, or the rest of it, is not printed; undefined if the run itself has deleted the Pod. */
	#missingLogText(error: unknown, how: LogRead['how']): string | undefined {
		if (isApiError(error, 'NotFound'))
			return this.#options.isInterrupted?.() ? undefined : 'the Pod was deleted before its log was shown';
		// The node agent keeps the logs of the last two attempts of a container.
		if (how === 'previous' && isApiError(error, 'BadRequest'))
			return 'the log of an earlier attempt of the container was removed';
		return `its log cannot be read: ${messageOf(error)}`;
	}

	/** Requests the log at once, since its Pod may be deleted soon, and prints it once `before` has resolved. */
	async #read(pod: Pod, { before, isRunning, ...attempt }: Reading): Promise<void> {
		const { container, containerId, how } = attempt;
		const { screen, view, signal, connect } = this.#options;
		if (how === 'follow' && isRunning && (await connect?.(pod, container))) return;
		const source = view.sourceOf(pod, container);
		const who = source ?? `pod/${pod.metadata.name}`;
		const kept: string[] = [];
		let missing = 0;
		try {
			for await (const lines of resumedLines({ pod, ...attempt }, { ...this.#options, part: view.part })) {
				await before;
				await screen.log(source, lines);
				for (const line of lines) missing += linesMissingAt(line);
				kept.push(...lines.slice(-KEPT_LINES));
				kept.splice(0, kept.length - KEPT_LINES);
				this.#lastLines.set(containerId, kept);
			}
		} catch (error) {
			if (signal.aborted) return;
			const text = this.#missingLogText(error, how);
			if (text !== undefined) screen.report(`${who}: ${text}`);
		}
		await before;
		if (missing > 0)
			screen.report(`${who}: ${missing} lines of its log are missing; the gaps are marked above`);
	}
}

/** Characters of the last line that are printed in the report of a failure. */
const LONGEST_LINE = 200;

function shortened(line: string): string {
	return line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line;
}

interface Reading extends LogRead {
	readonly container: string;
	/** Whether the container runs: with `follow`, the attempt that is read. */
	readonly isRunning: boolean;
	/** Resolves once the logs of earlier attempts have been printed. */
	readonly before: Promise<void>;
}

function keyOf({ metadata }: Pod, container: string): string {
	return `${metadata.uid}/${container}`;
}

/**
 * Prints all logs; each line starts with the name of its Pod and, if that has several containers, of the
 * container.
 */
export const PREFIXED_LINES: LogView = {
	sourceOf: ({ metadata, spec }, container) => {
		const several = spec.containers.length + (spec.initContainers?.length ?? 0) > 1;
		return several ? `${metadata.name} ${container}` : (metadata.name ?? '');
	},
	wants: () => true,
	part: {},
};

/** Prints all logs without prefixes. */
export const PLAIN_LINES: LogView = { ...PREFIXED_LINES, sourceOf: () => undefined };
