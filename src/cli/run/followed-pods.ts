import type { ContainerStatus, Pod } from '../../api/core/pod/schema.ts';
import { isApiError } from '../../api/meta/api-error.ts';
import { linesMissingAt } from '../../api/meta/log-gap.ts';
import type { Connection } from '../context.ts';
import { withHint } from '../errors.ts';
import { type LogOptions, logLines } from '../log-stream.ts';
import { type LogRead, logReads } from './container-log.ts';
import { type FailedRun, failedRuns } from './failed-runs.ts';
import { newsOf } from './pod-news.ts';
import type { Screen } from './screen.ts';

/** What {@link FollowedPods} are shown with. */
export interface FollowedPodsOptions {
	readonly connection: Connection;
	readonly screen: Screen;
	readonly view: LogView;
	/** What the user can do if no program stands for an image; undefined: the message of the node says all. */
	readonly imageHint?: string | undefined;
	/** Whether the run deletes its Pods, since the user has interrupted it: logs that end are no news then. */
	readonly isTakenBack?: (() => boolean) | undefined;
	/** Ends all reading. */
	readonly signal: AbortSignal;
	/** What follows a Pod's failure, for people: `the Job tries again in 10s`; undefined: do not report the failure. */
	readonly afterFailure: (pod: Pod) => string | undefined;
}

/** Which logs are shown, and how. */
export interface LogView {
	/** What each line of a container is told under; undefined: lines stand as they are. */
	sourceOf(pod: Pod, container: string): string | undefined;
	/** Whether the container is among those to be shown. */
	wants(pod: Pod, container: string): boolean;
	/** Which part of each log. */
	readonly part: Pick<LogOptions, 'timestamps' | 'tailLines' | 'sinceSeconds' | 'sinceTime' | 'limitBytes'>;
}

/** How many of the last lines of each container are kept for the digest. */
const KEPT_LINES = 5;

/**
 * The Pods of a Job: shows every line of each of their containers' logs, run by run, and says once why
 * one does not run. Remembers Pods that are gone, since a Job that fails takes its Pods along.
 */
export class FollowedPods {
	readonly #options: FollowedPodsOptions;
	readonly #pods = new Map<string, Pod>();
	/** Reading goes on in the background, for each container one run after the other. */
	readonly #reading = new Map<string, Promise<void>>();
	readonly #shown = new Set<string>();
	readonly #lastLines = new Map<string, readonly string[]>();
	readonly #told = new Set<string>();
	readonly #telling: Promise<void>[] = [];

	constructor(options: FollowedPodsOptions) {
		this.#options = options;
	}

	/** Takes in the state of a Pod. */
	observe(pod: Pod): void {
		this.#pods.set(pod.metadata.uid ?? '', pod);
		const { initContainerStatuses = [], containerStatuses = [] } = pod.status;
		for (const status of [...initContainerStatuses, ...containerStatuses]) this.#readLogs(pod, status);
		for (const { key, text, concernsImage } of newsOf(pod)) {
			if (this.#told.has(key)) continue;
			this.#told.add(key);
			this.#options.screen.say(withHint(text, concernsImage ? this.#options.imageHint : undefined));
		}
		for (const run of failedRuns(pod)) {
			if (this.#told.has(run.key)) continue;
			this.#told.add(run.key);
			this.#telling.push(this.#tellFailure(pod, run));
		}
	}

	/** Every Pod that there was, as it was seen last. */
	all(): readonly Pod[] {
		return [...this.#pods.values()];
	}

	/** The last lines that a container wrote, in its latest run that was read. */
	lastLines(pod: Pod, container: string): readonly string[] {
		return this.#lastLines.get(keyOf(pod, container)) ?? [];
	}

	/** Resolves once all logs that were begun have been shown to their end. */
	async drained(): Promise<void> {
		await Promise.all(this.#reading.values());
		await Promise.all(this.#telling);
	}

	/** Reports a failure, below the log of the container that failed. */
	async #tellFailure(pod: Pod, { container, how, restart }: FailedRun): Promise<void> {
		if (container !== undefined) await this.#reading.get(keyOf(pod, container));
		if (this.#options.signal.aborted) return;
		const next = restart === undefined ? this.#options.afterFailure(pod) : `the container ${restart}`;
		if (next === undefined) return;
		const who = container === undefined ? '' : ` container ${container}:`;
		const last = container === undefined ? undefined : this.lastLines(pod, container).at(-1);
		const said = last === undefined ? '' : `: ${shortened(last)}`;
		this.#options.screen.say(`pod/${pod.metadata.name} failed:${who} ${how}${said}; ${next}`);
	}

	#readLogs(pod: Pod, status: ContainerStatus): void {
		if (!this.#options.view.wants(pod, status.name)) return;
		const key = keyOf(pod, status.name);
		for (const { containerId, how } of logReads(pod, status, this.#shown)) {
			this.#shown.add(containerId);
			const before = this.#reading.get(key) ?? Promise.resolve();
			this.#reading.set(key, this.#read(pod, { container: status.name, how, before }));
		}
	}

	/** Why a log, or the rest of it, is not shown; undefined where the run itself has deleted the Pod. */
	#missingLogText(error: unknown, how: LogRead['how']): string | undefined {
		if (isApiError(error, 'NotFound'))
			return this.#options.isTakenBack?.() ? undefined : 'the Pod was deleted before its log was shown';
		// The node keeps the logs of two runs of a container.
		if (how === 'previous' && isApiError(error, 'BadRequest'))
			return 'the log of an earlier run of the container is gone';
		return `its log cannot be shown: ${error instanceof Error ? error.message : String(error)}`;
	}

	/** Asks for the log at once, since its Pod may not be there for long; shows it after what came `before`. */
	async #read(pod: Pod, { container, how, before }: Reading): Promise<void> {
		const { connection, screen, view, signal } = this.#options;
		const source = view.sourceOf(pod, container);
		const who = source ?? `pod/${pod.metadata.name}`;
		const kept: string[] = [];
		let missing = 0;
		try {
			for await (const lines of logLines(connection, pod, { ...view.part, container, [how]: true, signal })) {
				await before;
				await screen.log(source, lines);
				for (const line of lines) missing += linesMissingAt(line);
				kept.push(...lines.slice(-KEPT_LINES));
				kept.splice(0, kept.length - KEPT_LINES);
				this.#lastLines.set(keyOf(pod, container), kept);
			}
		} catch (error) {
			if (signal.aborted) return;
			const text = this.#missingLogText(error, how);
			if (text !== undefined) screen.say(`${who}: ${text}`);
		}
		await before;
		if (missing > 0) screen.say(`${who}: ${missing} lines of its log are missing above, where it says so`);
	}
}

/** The longest last line that is told with a failure. */
const LONGEST_LINE = 200;

function shortened(line: string): string {
	return line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line;
}

interface Reading {
	readonly container: string;
	readonly how: LogRead['how'];
	/** Resolves once the logs of earlier runs have been shown. */
	readonly before: Promise<void>;
}

function keyOf({ metadata }: Pod, container: string): string {
	return `${metadata.uid}/${container}`;
}

/** Every line of every container, under the name of its Pod and, where that has several, its container. */
export const EVERY_LINE: LogView = {
	sourceOf: ({ metadata, spec }, container) => {
		const several = spec.containers.length + (spec.initContainers?.length ?? 0) > 1;
		return several ? `${metadata.name} ${container}` : (metadata.name ?? '');
	},
	wants: () => true,
	part: {},
};

/** The same as it was written. */
export const AS_IT_IS: LogView = { ...EVERY_LINE, sourceOf: () => undefined };
