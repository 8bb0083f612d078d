/**
 * Time as a dependency. No component reads the system's clock: it receives a {@link Clock}, so that tests
 * and the simulation run the whole control plane in virtual time.
 */

/** A pending timer; `cancel` may be called any number of times, also after it has fired. */
export interface Timer {
	cancel(): void;
}

/** A source of time. Instants are milliseconds since the Unix epoch, durations are milliseconds. */
export interface Clock {
	/**
	 * The wall clock, for timestamps in API objects and in output. An operator or NTP may set it at any
	 * moment, so the difference of two readings is not a duration.
	 */
	now(): number;
	/**
	 * Milliseconds since a fixed instant of this process. Never decreases, and does not jump when the wall
	 * clock is set: the difference of two readings is a duration. Not comparable between processes.
	 */
	monotonic(): number;
	/** Calls `fire` once in `delayMs`, or as soon as possible if that is not positive; never synchronously. */
	setTimer(delayMs: number, fire: () => void): Timer;
}

/**
 * Node's timers do not advance while the machine is suspended. So a longer delay is split into several
 * timers, and the wall clock is read after each: a timer that fell due during the suspension fires at most
 * this late.
 */
const MAX_TIMER_MS = 30_000;

/** The machine's clock. Its timers keep the process alive only if `keepsAlive` is set. */
export class SystemClock implements Clock {
	readonly #keepsAlive: boolean;

	constructor(options: { readonly keepsAlive?: boolean } = {}) {
		this.#keepsAlive = options.keepsAlive ?? false;
	}

	now(): number {
		return Date.now();
	}

	monotonic(): number {
		return performance.now();
	}

	/**
	 * A timer fires when its delay has passed on either clock. The monotonic clock makes sure that a wall
	 * clock that is set back by an hour delays no timer. The wall clock makes sure that timers fire on time
	 * after the machine was suspended, or after its clock was set forward.
	 */
	setTimer(delayMs: number, fire: () => void): Timer {
		const due = performance.now() + delayMs;
		const wallDue = Date.now() + delayMs;
		let handle: NodeJS.Timeout;
		const arm = (): void => {
			const remainingMs = Math.min(due - performance.now(), wallDue - Date.now());
			const waitMs = Math.min(Math.max(remainingMs, 0), MAX_TIMER_MS);
			handle = setTimeout(remainingMs > MAX_TIMER_MS ? arm : fire, waitMs);
			if (!this.#keepsAlive) handle.unref();
		};
		arm();
		return { cancel: () => clearTimeout(handle) };
	}
}

/** Resolves after `delayMs` on `clock`, or at once when `signal` aborts. Never rejects. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
	return new Promise((resolve) => {
		if (signal?.aborted) return resolve();
		const finish = (): void => {
			timer.cancel();
			signal?.removeEventListener('abort', finish);
			resolve();
		};
		const timer = clock.setTimer(delayMs, finish);
		signal?.addEventListener('abort', finish, { once: true });
	});
}
