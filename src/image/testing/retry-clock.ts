import type { Clock, Timer } from '../../base/clock.ts';

/** Timers of at least this delay are timeouts, shorter ones back-off. */
const TIMEOUT_MS = 30_000;

/**
 * A clock for tests over real connections: back-off passes at once and is recorded, and timeouts expire only when the
 * test says so. Time otherwise stands still.
 */
export class RetryClock implements Clock {
	/** The delays of back-off, in order. */
	readonly delays: number[] = [];
	#elapsed = 0;
	readonly #timeouts = new Set<{ readonly delayMs: number; readonly fire: () => void }>();

	now(): number {
		return Date.UTC(2026, 0, 1) + this.#elapsed;
	}

	monotonic(): number {
		return this.#elapsed;
	}

	setTimer(delayMs: number, fire: () => void): Timer {
		if (delayMs >= TIMEOUT_MS) {
			const timeout = { delayMs, fire };
			this.#timeouts.add(timeout);
			return { cancel: () => this.#timeouts.delete(timeout) };
		}
		this.delays.push(delayMs);
		this.#elapsed += delayMs;
		const handle = setImmediate(fire);
		return { cancel: () => clearImmediate(handle) };
	}

	/** Moves the clock on; no timer fires. */
	advance(ms: number): void {
		this.#elapsed += ms;
	}

	/** Lets the pending timeouts expire whose delay is at least `minMs`. */
	expire(minMs = 0): void {
		for (const { delayMs, fire } of [...this.#timeouts]) if (delayMs >= minMs) fire();
	}
}
