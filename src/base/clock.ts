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
	now(): number;
	/** Calls `fire` once, `delayMs` from now (at the next chance when that is not positive). */
	setTimer(delayMs: number, fire: () => void): Timer;
}

/**
 * A longer delay is made of several. The platform's timers stand still while the machine sleeps and know
 * nothing of a clock that is set: what was due meanwhile comes at most this late.
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

	setTimer(delayMs: number, fire: () => void): Timer {
		const due = Date.now() + delayMs;
		let handle: NodeJS.Timeout;
		const arm = (): void => {
			const left = due - Date.now();
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
