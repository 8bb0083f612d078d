import type { Clock } from './clock.ts';

/**
 * Starts the parts of a program in order, stops them in reverse order, and stops all of them when one
 * fails, after controller-runtime's manager.
 *
 * 1. A part is started after all parts before it have started, and stopped after all parts behind it have
 *    stopped. So a part may use the parts before it from its start to its stop.
 * 2. The first failure is reported at once, with the name of the part, and then everything is stopped. A
 *    part fails when its start rejects, when its work ends before its signal aborts, or when its owner
 *    calls {@link Lifecycle.fail}. A part that runs a Lifecycle of its own rejects with the
 *    {@link PartError} of that one, which is reported unchanged.
 * 3. Stopping always ends. Each part may take half of the remaining time; then the next part is stopped
 *    without waiting for it, which is reported and counts as a failure. So the parts that were started
 *    first, above all the store, always have time to close.
 * 4. {@link Lifecycle.ended} resolves once, after the last part was stopped, and never rejects.
 */
export class Lifecycle {
	readonly #options: LifecycleOptions;
	readonly #entries: Entry[] = [];
	readonly #stopping = new AbortController();
	readonly #ended = Promise.withResolvers<PartError | undefined>();
	#failure: PartError | undefined;

	constructor(options: LifecycleOptions) {
		this.#options = options;
		const { signal } = options;
		const stop = (): void => this.#startStopping();
		if (signal?.aborted) stop();
		signal?.addEventListener('abort', stop, { once: true });
	}

	/** Whether stopping has started; stays true after everything has stopped. */
	get isStopping(): boolean {
		return this.#stopping.signal.aborted;
	}

	/** Resolves after everything has stopped: to the first failure, or to undefined if there was none. */
	get ended(): Promise<PartError | undefined> {
		return this.#ended.promise;
	}

	/**
	 * Starts a part; resolves to the value of its `start`. If its start fails, or everything is stopped
	 * before it has started, this rejects after everything has stopped: with the {@link PartError} that
	 * caused the stop, or with a {@link StoppedError} if a caller requested it.
	 */
	async start<T>(part: Part<T>): Promise<T> {
		const { signal } = this.#stopping;
		if (signal.aborted) return this.#rejectWhenEnded();
		const starting = settled(() => part.start(signal));
		// Both the stop and this call see the failure of one start.
		let isReported = false;
		const report = (error: unknown): void => {
			if (!isReported) this.#report(new PartError(part.name, 'could not be started', error));
			isReported = true;
		};
		this.#entries.push({
			names: () => [part.name],
			stop: async () => {
				const outcome = await starting;
				if (outcome.ok) await part.stop?.(outcome.value);
				else if (!isAbort(outcome.error)) report(outcome.error);
			},
		});
		const outcome = await unlessAborted(starting, signal);
		if (outcome?.ok) return outcome.value;
		if (outcome) {
			report(outcome.error);
			this.#startStopping();
		}
		return this.#rejectWhenEnded();
	}

	/**
	 * Runs `works`, by name, concurrently. When the parts behind them have stopped, their signal aborts, and
	 * each must end. A work that ends earlier has failed, whether it resolves or rejects.
	 */
	run(works: Readonly<Record<string, Work>>): void {
		if (this.#stopping.signal.aborted) return;
		const stop = new AbortController();
		const running = new Map<string, Promise<void>>();
		this.#entries.push({
			names: () => [...running.keys()],
			stop: async () => {
				stop.abort();
				await Promise.all(running.values());
			},
		});
		for (const [name, work] of Object.entries(works)) {
			const ended = this.#runWork(name, work, stop.signal).then(() => void running.delete(name));
			running.set(name, ended);
		}
	}

	/**
	 * Settles as `promise` does; for waiting until a part is ready. If everything is stopped before that,
	 * this rejects as {@link start} does.
	 */
	async until<T>(promise: Promise<T>): Promise<T> {
		const { signal } = this.#stopping;
		const outcome = await unlessAborted(
			settled(() => promise),
			signal,
		);
		if (outcome?.ok) return outcome.value;
		if (outcome) throw outcome.error;
		return this.#rejectWhenEnded();
	}

	/** Reports that a part has failed, and stops everything. */
	fail(part: string, error: unknown): void {
		this.#fail(new PartError(part, 'failed', error));
	}

	/**
	 * Stops everything in reverse order; resolves when all parts have stopped. May be called any number of
	 * times.
	 */
	async stop(): Promise<void> {
		this.#startStopping();
		await this.#ended.promise;
	}

	async #runWork(name: string, work: Work, signal: AbortSignal): Promise<void> {
		const outcome = await settled(() => work(signal));
		if (!signal.aborted) {
			const error = outcome.ok ? new Error('it ended unexpectedly') : outcome.error;
			this.#fail(error instanceof PartError ? error : new PartError(name, 'failed', error));
		} else if (!outcome.ok && !isAbort(outcome.error)) {
			this.#report(new PartError(name, 'failed while it was stopped', outcome.error));
		}
	}

	#fail(error: PartError): void {
		this.#report(error);
		this.#startStopping();
	}

	#report(error: PartError): void {
		this.#failure ??= error;
		this.#options.onFailure(error);
	}

	#startStopping(): void {
		if (this.#stopping.signal.aborted) return;
		this.#stopping.abort();
		// #stopOne catches and reports every error of a part; the second handler is for a bug in this class.
		this.#stopAll().then(
			() => this.#ended.resolve(this.#failure),
			(error: unknown) => this.#ended.resolve(this.#failure ?? new PartError('lifecycle', 'failed', error)),
		);
	}

	async #stopAll(): Promise<void> {
		const { clock, stopTimeoutMs } = this.#options;
		const deadline = clock.monotonic() + stopTimeoutMs;
		for (let entry = this.#entries.pop(); entry; entry = this.#entries.pop()) {
			await this.#stopOne(entry, Math.max(Math.floor((deadline - clock.monotonic()) / 2), 0));
		}
	}

	async #stopOne(entry: Entry, timeoutMs: number): Promise<void> {
		const names = entry.names().join(', ');
		const timeout = new AbortController();
		const timer = this.#options.clock.setTimer(timeoutMs, () => timeout.abort());
		const outcome = await unlessAborted(
			settled(() => entry.stop()),
			timeout.signal,
		);
		timer.cancel();
		if (outcome?.ok) return;
		if (outcome) this.#report(new PartError(names, 'could not be stopped', outcome.error));
		else {
			const reason = new Error(`timed out after ${timeoutMs} ms; the other parts are stopped without it`);
			this.#report(new PartError(entry.names().join(', '), 'does not stop', reason));
		}
	}

	async #rejectWhenEnded(): Promise<never> {
		const failure = await this.#ended.promise;
		throw failure ?? new StoppedError();
	}
}

/** The dependencies and settings of a {@link Lifecycle}. */
export interface LifecycleOptions {
	/** Its timers must keep the process alive: while a part stops, nothing else may do so. */
	readonly clock: Clock;
	/** Maximum time in milliseconds for stopping all parts together. */
	readonly stopTimeoutMs: number;
	/** Stops everything when it aborts. */
	readonly signal?: AbortSignal;
	/** Called with each failure as it happens; {@link Lifecycle.ended} resolves to the first of them. */
	readonly onFailure: (error: PartError) => void;
}

/** A part that serves the parts behind it from its start to its stop, such as the store. */
export interface Part<T> {
	/** A noun, for messages: `store`. */
	readonly name: string;
	/** Resolves once the part is ready. `signal` aborts if everything is stopped before that. */
	start(signal: AbortSignal): Promise<T>;
	/** Stops the part, given the value of its `start`; not called if `start` rejected. */
	stop?(started: T): void | Promise<void>;
}

/** A part that runs until `signal` aborts, and resolves once it has ended. */
export type Work = (signal: AbortSignal) => Promise<void>;

/** The failure of a part: the message names the part and the reason, `cause` is the part's own error. */
export class PartError extends Error {
	override readonly name = 'PartError';
	readonly part: string;

	constructor(part: string, what: string, cause: unknown) {
		super(`the ${part} ${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
		this.part = part;
	}
}

/** A caller stopped everything before the part had started. No part failed. */
export class StoppedError extends Error {
	override readonly name = 'StoppedError';

	constructor() {
		super('stopped before it had started');
	}
}

/** One step of stopping: a part, or works that run concurrently. */
interface Entry {
	/** The names of the parts that have not ended yet, for the message if they do not stop in time. */
	names(): readonly string[];
	stop(): Promise<void>;
}

type Settled<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };

/** The value or the error of `act`, whether it throws or rejects. Never rejects. */
async function settled<T>(act: () => T | Promise<T>): Promise<Settled<T>> {
	try {
		return { ok: true, value: await act() };
	} catch (error) {
		return { ok: false, error };
	}
}

/** Settles as `promise` does, or resolves to undefined once `signal` has aborted. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
	return new Promise((resolve, reject) => {
		const onAbort = (): void => resolve(undefined);
		if (signal.aborted) return onAbort();
		signal.addEventListener('abort', onAbort, { once: true });
		promise.then((value) => {
			signal.removeEventListener('abort', onAbort);
			resolve(value);
		}, reject);
	});
}

/** Whether `error` only says that the part obeyed its aborted signal. */
function isAbort(error: unknown): boolean {
	return error instanceof StoppedError || (error instanceof Error && error.name === 'AbortError');
}
