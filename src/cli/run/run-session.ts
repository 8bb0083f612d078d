import { jobs } from '../../api/batch/job/definition.ts';
import { isOfKind } from '../../api/contract/resource-definition.ts';
import { pods } from '../../api/core/pod/definition.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { displayName } from '../args/resource-args.ts';
import { type CliContext, CommandError, type Connection, type Interruption } from '../context.ts';
import { describeError } from '../errors.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import type { Applied, SendObject } from '../manifest/apply-object.ts';
import type { CheckedObject } from '../manifest/check.ts';
import { refusalError } from '../manifest/refusal.ts';
import { type CreatedObject, deleteCreated, requestDeletion } from './cleanup.ts';
import { ContainerInput } from './container-input.ts';
import { PLAIN_LINES, PREFIXED_LINES } from './followed-pods.ts';
import type { Follower, FollowerOptions, RunOutcome } from './follower.ts';
import { JobFollower } from './job-follower.ts';
import { PodFollower } from './pod-follower.ts';
import { createNamespaces, deleteFinishedJobs } from './preparation.ts';
import { Outage } from './reconnect.ts';
import { Screen } from './terminal.ts';

/** Options of a {@link RunSession}. */
export interface RunSessionOptions {
	readonly connection: Connection;
	readonly objects: readonly CheckedObject[];
	readonly send: SendObject;
	/** If set, standard input is passed to the containers, which have `stdin`. */
	readonly input?: { readonly tty: boolean; readonly quiet: boolean } | undefined;
	/** Whether all objects that the run has created are deleted at its end, and not only those that could not end by themselves. */
	readonly remove?: boolean;
	/** Whether log lines start with the name of their Pod. */
	readonly prefixed: boolean;
	/** The hint printed, besides the message of the node agent, if an image stands for no program. */
	readonly imageHint?: string | undefined;
	/** Whether to delete finished Jobs of the same names first. */
	readonly force: boolean;
}

/** Interval at which the elapsed time in the status line is updated. */
const TICK_MS = 1000;

/**
 * One execution of `stint run`, from the first object to the exit code. Read in this folder: run-session.ts
 * (order of events), preparation.ts and cleanup.ts (before and after), follower.ts with job-follower.ts and
 * pod-follower.ts (watches), followed-pods.ts with container-log.ts (logs), container-input.ts (`-i`), failed-runs.ts, failures.ts,
 * pod-notices.ts and job-notices.ts (what is reported about Pods), reconnect.ts (lost connections), terminal.ts
 * (output).
 *
 * 1. The caller has checked all objects. If the server still rejects one, the run deletes the objects that it
 *    has created.
 * 2. After an interruption the run deletes the objects that it has created and waits until their Pods are
 *    gone; after a second one it kills them. It never deletes objects that existed before, unless `force`
 *    replaces a finished Job. A run that is not interrupted deletes those of its objects that could not end by themselves.
 * 3. Logs go to standard output, everything else to standard error.
 */
export class RunSession {
	readonly #context: CliContext;
	readonly #options: RunSessionOptions;
	readonly #screen: Screen;
	readonly #created: CreatedObject[] = [];
	readonly #followers: Follower[] = [];
	readonly #stop = new AbortController();
	readonly #killNow = new AbortController();
	readonly #interrupted = Promise.withResolvers<Interruption>();
	readonly #outage: Outage;
	readonly #input: ContainerInput | undefined;
	#interruptedBy: Interruption | undefined;

	constructor(context: CliContext, options: RunSessionOptions) {
		this.#context = context;
		this.#options = options;
		this.#screen = new Screen(context);
		this.#outage = new Outage(context.clock, (text) => this.#screen.report(text));
		const { input, connection } = options;
		this.#input =
			input &&
			new ContainerInput({
				...input,
				connection,
				rawStreams: context.rawStreams,
				signal: this.#stop.signal,
				report: (text) => this.#screen.report(text),
			});
	}

	/**
	 * Runs until all Jobs and Pods have finished. Resolves to the exit code; rejects if the run could not start.
	 */
	async run(): Promise<number> {
		const off = this.#context.onInterrupt((by) => this.#interrupt(by));
		try {
			await this.#start();
			if (this.#interruptedBy !== undefined) return await this.#cleanUp(this.#interruptedBy);
			this.#tick();
			const outcomes = Promise.all(this.#followers.map((each) => this.#report(each)));
			const ended = await Promise.race([outcomes, this.#interrupted.promise, this.#outage.lost]);
			if (typeof ended === 'string') return await this.#cleanUp(ended);
			const futile = this.#followers.filter((_, index) => ended[index]?.verdict === 'futile');
			const isFutile = ({ follower }: CreatedObject): boolean =>
				follower !== undefined && futile.includes(follower);
			await this.#remove(this.#options.remove ? this.#created : this.#created.filter(isFutile));
			return exitCodeOfRun(ended);
		} finally {
			this.#screen.status('');
			this.#stop.abort();
			off();
		}
	}

	/**
	 * The first interruption ends the run, and its signal decides the exit code; every later one kills the Pods.
	 */
	#interrupt(by: Interruption): void {
		if (this.#interruptedBy !== undefined) this.#killNow.abort();
		this.#interruptedBy ??= by;
		this.#interrupted.resolve(by);
	}

	async #start(): Promise<void> {
		const { connection, objects, force } = this.#options;
		if (!connection.isEmbedded) await deleteFinishedJobs(connection, objects, force);
		try {
			if (connection.isEmbedded) await createNamespaces(connection, objects);
			for (const checked of objects) {
				if (this.#interruptedBy !== undefined) return;
				await this.#apply(checked);
			}
		} catch (error) {
			await this.#undo(error);
		}
	}

	/** Creates or patches an object. Rejects with an error that shows the place in the manifest. */
	async #send(checked: CheckedObject): Promise<Applied> {
		try {
			return await this.#options.send(this.#options.connection, checked);
		} catch (error) {
			throw refusalError(error, checked.document, 'run');
		}
	}

	/** Sends an object and starts following it. Only objects that the run has created are deleted at its end. */
	async #apply(checked: CheckedObject): Promise<void> {
		const { object, outcome } = await this.#send(checked);
		const { definition } = checked;
		const title = displayName(definition, object);
		this.#screen.report(`${title} ${outcome}`);
		const created = outcome === 'created';
		const follower = this.#follow(object, created);
		if (follower) this.#followers.push(follower);
		if (created) this.#created.push({ definition, object, ...(follower && { follower }) });
	}

	/**
	 * A follower for a Job or Pod. Other objects, such as a Namespace in the manifest, have no end to wait for.
	 */
	#follow(object: KubeObject, created: boolean): Follower | undefined {
		const input = this.#input;
		const options: FollowerOptions = {
			connection: this.#outage.observed(this.#options.connection),
			clock: this.#context.clock,
			screen: this.#screen,
			view: this.#options.prefixed ? PREFIXED_LINES : PLAIN_LINES,
			connect: input && ((pod, container) => input.connect(pod, container)),
			imageHint: this.#options.imageHint,
			isInterrupted: () => this.#interruptedBy !== undefined,
			created,
			signal: this.#stop.signal,
			onError: (error) => this.#outage.observeFailure(error),
			onProgress: () => this.#observeProgress(),
		};
		if (isOfKind(object, jobs)) return new JobFollower(object, options);
		return isOfKind(object, pods) ? new PodFollower(object, options) : undefined;
	}

	/**
	 * Deletes the created objects after an error during the start. Rejects: with the error itself if there are
	 * none.
	 */
	async #undo(error: unknown): Promise<never> {
		if (this.#created.length === 0) throw error;
		this.#screen.report(`${describeError(error)}\ndeleting the objects created so far`);
		await deleteCreated(this.#options.connection, this.#created, this.#killNow.signal);
		throw new CommandError('nothing was run');
	}

	/** Deletes the created objects after an interruption; resolves to the exit code of its signal. */
	async #cleanUp(by: Interruption): Promise<number> {
		this.#screen.status('');
		const titles = this.#created.map(({ definition, object }) => displayName(definition, object));
		const isAtTerminal = by === 'SIGINT' && this.#screen.hasStatus;
		const next = isAtTerminal ? ' (interrupt again to kill its Pods at once)' : '';
		if (titles.length > 0) this.#screen.report(`deleting ${titles.join(', ')}${next}`);
		await deleteCreated(this.#options.connection, this.#created, this.#killNow.signal);
		return EXIT_CODES[by];
	}

	/** Deletes objects that were created, after the run, without waiting, as kubectl. */
	async #remove(removed: readonly CreatedObject[]): Promise<void> {
		await requestDeletion(this.#options.connection, removed);
		for (const { definition, object } of removed)
			this.#screen.report(`${displayName(definition, object)} deleted`);
	}

	/** Prints the outcome of one Job or Pod as soon as it finishes; after an interruption its end is expected. */
	async #report(follower: Follower): Promise<RunOutcome> {
		const outcome = await follower.ended;
		if (this.#interruptedBy === undefined) this.#screen.report(outcome.text);
		return outcome;
	}

	#observeProgress(): void {
		this.#outage.observeProgress();
		this.#showStatus();
	}

	/** Updates the elapsed time in the status line until the run ends. Without a terminal it sets no timer. */
	#tick(): void {
		if (this.#stop.signal.aborted || !this.#screen.hasStatus) return;
		this.#showStatus();
		this.#context.clock.setTimer(TICK_MS, () => this.#tick());
	}

	#showStatus(): void {
		// A status line would be in the middle of what a program draws on the terminal.
		if (!this.#screen.hasStatus || this.#options.input?.tty) return;
		const parts = this.#followers.map((each) => each.progress()).filter((text) => text !== undefined);
		const [first = ''] = parts;
		this.#screen.status(parts.length > 1 ? `${parts.length} running; ${parts.join(' | ')}` : first);
	}
}

/** 0 if all completed; if the only one failed, the exit code of its container; else 1. */
function exitCodeOfRun(outcomes: readonly RunOutcome[]): number {
	const failed = outcomes.filter(({ verdict }) => verdict !== 'complete');
	if (failed.length === 0) return 0;
	return outcomes.length === 1 ? (failed[0]?.exitCode ?? 1) : 1;
}
