/**
 * Time, handed in. No component reads the system's clock itself: it gets a {@link Clock}, so that the
 * whole control plane also runs in virtual time.
 */

/** A pending timer; `cancel` may be called any number of times, also after it has fired. */
export interface Timer {
	cancel(): void;
}

/** A source of time. Instants are milliseconds since the Unix epoch, lengths are milliseconds. */
export interface Clock {
	/** The wall clock: for what users read and what API objects record. It may be set at any moment. */
	now(): number;
	/**
	 * Milliseconds since a fixed instant of this process. Never goes back and never jumps when the wall
	 * clock is set: the difference of two readings is a duration. Means nothing in another process.
	 */
	monotonic(): number;
	/** Calls `fire` once, `delayMs` from now (at the next chance when that is not positive). */
	setTimer(delayMs: number, fire: () => void): Timer;
}

/**
 * A longer delay is made of several, so that the wall clock is read again: the platform's timers stand
 * still while the machine is suspended. A timer that came due meanwhile fires at most this late.
 */
const LONGEST_TIMER_MS = 30_000;

/** The machine's clock. Its timers keep the process alive only where `keepsAlive` asks for it. */
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
	 * A timer fires when its delay has passed by either clock. By the monotonic one, a wall clock that is
	 * set back an hour delays nothing; by the wall clock, a machine that was suspended, or whose clock was
	 * set forward, does what is due by its new time.
	 */
	setTimer(delayMs: number, fire: () => void): Timer {
		const due = performance.now() + delayMs;
		const wallDue = Date.now() + delayMs;
		let handle: NodeJS.Timeout;
		const arm = (): void => {
			const left = Math.min(due - performance.now(), wallDue - Date.now());
			const wait = Math.min(Math.max(left, 0), LONGEST_TIMER_MS);
			handle = setTimeout(left > LONGEST_TIMER_MS ? arm : fire, wait);
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
