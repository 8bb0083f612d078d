import type { Clock } from './clock.ts';

/**
 * The life of a program made of parts. It starts them in order, stops them in reverse order, and stops all
 * of them when one fails, after controller-runtime's manager.
 *
 * 1. A part is started only after those before it have started, and stopped only after those behind it
 *    have stopped: a part may use what was started before it as long as it lives.
 * 2. The first failure is reported at once, with the name of the part, and then everything is stopped. A
 *    part fails when it cannot be started, when its work ends before it was asked to, or by
 *    {@link Lifecycle.fail}. A part that is itself made of parts passes the {@link PartError} of one on.
 * 3. Stopping always ends. A part gets half of the time that is left; then the next one is stopped without
 *    it, which is reported too and counts as a failure. So the parts started first, which hold what
 *    matters most (the store), always have time to close.
 * 4. {@link Lifecycle.ended} settles once, after the last part was stopped, and never rejects.
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
		const stop = (): void => this.#beginStop();
		if (signal?.aborted) stop();
		signal?.addEventListener('abort', stop, { once: true });
	}

	/** Whether everything is being stopped, or has been. */
	get isStopping(): boolean {
		return this.#stopping.signal.aborted;
	}

	/** Resolves after everything has stopped: to the first failure, or to undefined if there was none. */
	get ended(): Promise<PartError | undefined> {
		return this.#ended.promise;
	}

	/**
	 * Starts a part; resolves to what its `start` resolves to. If it fails, or everything is stopped
	 * meanwhile, this rejects after everything has stopped: with the {@link PartError} that caused it, or
	 * with a {@link StoppedError}.
	 */
	async start<T>(part: Part<T>): Promise<T> {
		const { signal } = this.#stopping;
		if (signal.aborted) return this.#rejectWhenEnded();
		const starting = settled(() => part.start(signal));
		let isTold = false;
		const tell = (error: unknown): void => {
			if (!isTold) this.#report(new PartError(part.name, 'could not be started', error));
			isTold = true;
		};
		this.#entries.push({
			names: () => [part.name],
			stop: async () => {
				const outcome = await starting;
				if (outcome.ok) await part.stop?.(outcome.value);
				else if (!isAbort(outcome.error)) tell(outcome.error);
			},
		});
		const outcome = await unlessAborted(starting, signal);
		if (outcome?.ok) return outcome.value;
		if (outcome) {
			tell(outcome.error);
			this.#beginStop();
		}
		return this.#rejectWhenEnded();
	}

	/**
	 * Runs `works`, by name, side by side until it is their turn to stop; then their signal aborts, and they
	 * have to end. One that ends earlier, in whichever way, has failed.
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
			const ended = this.#oversee(name, work, stop.signal).then(() => void running.delete(name));
			running.set(name, ended);
		}
	}

	/**
	 * Resolves as `promise` does; for a part to become ready. If everything is stopped before, this rejects
	 * as {@link start} does.
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

	/** Stops everything, in reverse order; resolves when that is done. May be called any number of times. */
	async stop(): Promise<void> {
		this.#beginStop();
		await this.#ended.promise;
	}

	async #oversee(name: string, work: Work, signal: AbortSignal): Promise<void> {
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
		this.#beginStop();
	}

	#report(error: PartError): void {
		this.#failure ??= error;
		this.#options.onFailure(error);
	}

	#beginStop(): void {
		if (this.#stopping.signal.aborted) return;
		this.#stopping.abort();
		// #stopAll never rejects: whatever a part does is caught and reported.
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
		const tooLate = new AbortController();
		const timer = this.#options.clock.setTimer(timeoutMs, () => tooLate.abort());
		const outcome = await unlessAborted(
			settled(() => entry.stop()),
			tooLate.signal,
		);
		timer.cancel();
		if (outcome?.ok) return;
		if (outcome) this.#report(new PartError(names, 'could not be stopped', outcome.error));
		else {
			const reason = new Error(`after ${timeoutMs} ms the rest is stopped without waiting for it`);
			this.#report(new PartError(entry.names().join(', '), 'does not stop', reason));
		}
	}

	async #rejectWhenEnded(): Promise<never> {
		const failure = await this.#ended.promise;
		throw failure ?? new StoppedError();
	}
}

/** How a {@link Lifecycle} stops, and who is told of failures. */
export interface LifecycleOptions {
	/** Its timers must keep the process alive: while a part stops nothing else may. */
	readonly clock: Clock;
	/** How long stopping everything may take. */
	readonly stopTimeoutMs: number;
	/** Stops everything when it aborts. */
	readonly signal?: AbortSignal;
	/** Told of each failure when it happens; the first is the one that {@link Lifecycle.ended} resolves to. */
	readonly onFailure: (error: PartError) => void;
}

/** A part that is there from its start to its stop. */
export interface Part<T> {
	/** A noun, for messages: `store`. */
	readonly name: string;
	/** Resolves once the part serves. `signal` aborts when everything is stopped before that. */
	start(signal: AbortSignal): Promise<T>;
	/** Stops what was started; not called if `start` rejected. */
	stop?(started: T): void | Promise<void>;
}

/** A part that works until `signal` aborts, and resolves when it has ended. */
export type Work = (signal: AbortSignal) => Promise<void>;

/** A part failed; the message names it and says why, and `cause` is its own error. */
export class PartError extends Error {
	override readonly name = 'PartError';
	readonly part: string;

	constructor(part: string, what: string, cause: unknown) {
		super(`the ${part} ${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
		this.part = part;
	}
}

/** Everything was stopped, on request, before it had started. */
export class StoppedError extends Error {
	override readonly name = 'StoppedError';

	constructor() {
		super('stopped before it had started');
	}
}

/** What is stopped together: a part, or works that run side by side. */
interface Entry {
	/** Those that have not ended yet. */
	names(): readonly string[];
	stop(): Promise<void>;
}

type Settled<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };

/** How `act` ends; also when it throws. Never rejects. */
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
		const giveUp = (): void => resolve(undefined);
		if (signal.aborted) return giveUp();
		signal.addEventListener('abort', giveUp, { once: true });
		promise.then((value) => {
			signal.removeEventListener('abort', giveUp);
			resolve(value);
		}, reject);
	});
}

/** Whether a part ended with `error` because it was asked to stop. */
function isAbort(error: unknown): boolean {
	return error instanceof StoppedError || (error instanceof Error && error.name === 'AbortError');
}
