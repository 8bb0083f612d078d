import { jobs } from '../../api/batch/job/definition.ts';
import { pods } from '../../api/core/pod/definition.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import type { Applied, SendObject } from '../apply-object.ts';
import { type CliContext, CommandError, type Connection, type Interruption } from '../context.ts';
import { describeError } from '../errors.ts';
import { isOf } from '../kind-of.ts';
import type { CheckedObject } from '../manifest/check.ts';
import { refusalError } from '../manifest/refusal.ts';
import { displayName } from '../targets.ts';
import type { Followed, FollowOptions, Outcome } from './followed.ts';
import { AS_IT_IS, EVERY_LINE } from './followed-pods.ts';
import { JobFollower } from './job-follower.ts';
import { Outage } from './outage.ts';
import { PodFollower } from './pod-follower.ts';
import { makeNamespaces, makeRoom } from './preparation.ts';
import { Screen } from './screen.ts';
import { type Made, takeBack } from './take-back.ts';

/** Options of a {@link RunSession}. */
export interface RunSessionOptions {
	readonly connection: Connection;
	/** Whether the server was started for this run. */
	readonly embedded: boolean;
	readonly objects: readonly CheckedObject[];
	readonly send: SendObject;
	/** Whether log lines start with the name of their Pod. */
	readonly prefixed: boolean;
	/** The hint printed, besides the message of the node agent, if an image stands for no program. */
	readonly imageHint?: string | undefined;
	/** Whether to delete finished Jobs of the same names first. */
	readonly force: boolean;
}

/** Interval at which the elapsed time in the status line is updated. */
const TICK_MS = 1000;

/** The exit codes that a shell reports for a process ended by these signals: 128 plus the number. */
export const EXIT_CODES: Readonly<Record<Interruption, number>> = {
	SIGHUP: 129,
	SIGINT: 130,
	SIGPIPE: 141,
	SIGTERM: 143,
};

/**
 * One execution of `stint run`, from the first object to the exit code. Read in this folder: run-session.ts (order of
 * events), preparation.ts and take-back.ts (before and after), followed.ts with job-follower.ts and pod-follower.ts
 * (watches), followed-pods.ts with container-log.ts (logs), failed-runs.ts, failures.ts, pod-news.ts and job-news.ts
 * (what is reported about Pods), outage.ts (lost connections), screen.ts (output).
 *
 * 1. The caller has checked all objects. If the server still rejects one, the run deletes the objects that it has
 *    created.
 * 2. After an interruption the run deletes the objects that it has created and waits until their Pods are gone; after a
 *    second one it kills them. It never deletes objects that existed before, unless `force` replaces a finished Job.
 * 3. Logs go to standard output, everything else to standard error.
 */
export class RunSession {
	readonly #context: CliContext;
	readonly #options: RunSessionOptions;
	readonly #screen: Screen;
	readonly #made: Made[] = [];
	readonly #followed: Followed[] = [];
	readonly #stop = new AbortController();
	readonly #impatient = new AbortController();
	readonly #interrupted = Promise.withResolvers<Interruption>();
	readonly #outage: Outage;
	#interruptedBy: Interruption | undefined;

	constructor(context: CliContext, options: RunSessionOptions) {
		this.#context = context;
		this.#options = options;
		this.#screen = new Screen(context);
		this.#outage = new Outage(context.clock, (text) => this.#screen.say(text));
	}

	/** Runs until all Jobs and Pods have finished. Resolves to the exit code; rejects if the run could not start. */
	async toTheEnd(): Promise<number> {
		const off = this.#context.onInterrupt((by) => this.#interrupt(by));
		try {
			await this.#begin();
			if (this.#interruptedBy !== undefined) return await this.#giveUp(this.#interruptedBy);
			this.#tick();
			const outcomes = Promise.all(this.#followed.map((each) => this.#report(each)));
			const ended = await Promise.race([outcomes, this.#interrupted.promise, this.#outage.lost]);
			if (typeof ended === 'string') return await this.#giveUp(ended);
			return exitCodeOf(ended);
		} finally {
			this.#screen.status('');
			this.#stop.abort();
			off();
		}
	}

	#interrupt(by: Interruption): void {
		if (this.#interruptedBy !== undefined) this.#impatient.abort();
		this.#interruptedBy ??= by;
		this.#interrupted.resolve(by);
	}

	async #begin(): Promise<void> {
		const { connection, embedded, objects, force } = this.#options;
		if (!embedded) await makeRoom(connection, objects, force);
		try {
			if (embedded) await makeNamespaces(connection, objects);
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

	async #apply(checked: CheckedObject): Promise<void> {
		const { object, outcome } = await this.#send(checked);
		const { definition } = checked;
		const title = displayName(definition, object);
		this.#screen.say(`${title} ${outcome}`);
		const created = outcome === 'created';
		const followed = this.#follow(object, created);
		if (followed) this.#followed.push(followed);
		if (created) this.#made.push({ definition, object, ...(followed && { followed }) });
	}

	#follow(object: KubeObject, created: boolean): Followed | undefined {
		const options: FollowOptions = {
			connection: this.#outage.observed(this.#options.connection),
			clock: this.#context.clock,
			screen: this.#screen,
			view: this.#options.prefixed ? EVERY_LINE : AS_IT_IS,
			imageHint: this.#options.imageHint,
			isTakenBack: () => this.#interruptedBy !== undefined,
			created,
			signal: this.#stop.signal,
			onError: (error) => this.#outage.observeFailure(error),
			onProgress: () => this.#observeProgress(),
		};
		if (isOf(jobs, object)) return new JobFollower(object, options);
		return isOf(pods, object) ? new PodFollower(object, options) : undefined;
	}

	async #undo(error: unknown): Promise<never> {
		if (this.#made.length === 0) throw error;
		this.#screen.say(`${describeError(error)}\ndeleting the objects created so far`);
		await takeBack(this.#options.connection, this.#made, this.#impatient.signal);
		throw new CommandError('nothing was run');
	}

	async #giveUp(by: Interruption): Promise<number> {
		this.#screen.status('');
		const titles = this.#made.map(({ definition, object }) => displayName(definition, object));
		if (titles.length > 0) this.#screen.say(`deleting ${titles.join(', ')} (interrupt again to kill its Pods at once)`);
		await takeBack(this.#options.connection, this.#made, this.#impatient.signal);
		return EXIT_CODES[by];
	}

	async #report(followed: Followed): Promise<Outcome> {
		const outcome = await followed.ended;
		if (this.#interruptedBy === undefined) this.#screen.say(outcome.text);
		return outcome;
	}

	#observeProgress(): void {
		this.#outage.observeProgress();
		this.#showStatus();
	}

	#tick(): void {
		if (this.#stop.signal.aborted || !this.#screen.hasStatus) return;
		this.#showStatus();
		this.#context.clock.setTimer(TICK_MS, () => this.#tick());
	}

	#showStatus(): void {
		if (!this.#screen.hasStatus) return;
		const parts = this.#followed.map((each) => each.progress()).filter((text) => text !== undefined);
		const [first = ''] = parts;
		this.#screen.status(parts.length > 1 ? `${parts.length} running; ${parts.join(' | ')}` : first);
	}
}

/** 0 if all completed; if the only one failed, the exit code of its container; else 1. */
function exitCodeOf(outcomes: readonly Outcome[]): number {
	const failed = outcomes.filter(({ verdict }) => verdict !== 'complete');
	if (failed.length === 0) return 0;
	return outcomes.length === 1 ? (failed[0]?.exitCode ?? 1) : 1;
}
