import type { Clock, Timer } from './clock.ts';

interface Pending {
	readonly due: number;
	readonly order: number;
	readonly fire: () => void;
}

/**
 * A clock that stands still until it is told to move: tests and the simulation step from timer to
 * timer, so a year passes in seconds and the same run happens each time. Timers due at the same
 * instant fire in the order they were set.
 */
export class VirtualClock implements Clock {
	#now: number;
	#order = 0;
	readonly #pending = new Set<Pending>();

	constructor(startMs = Date.UTC(2026, 0, 1)) {
		this.#now = startMs;
	}

	now(): number {
		return this.#now;
	}

	setTimer(delayMs: number, fire: () => void): Timer {
		const pending = { due: this.#now + Math.max(delayMs, 0), order: this.#order++, fire };
		this.#pending.add(pending);
		return { cancel: () => void this.#pending.delete(pending) };
	}

	/** The instant of the earliest timer, or undefined when none is set. */
	nextDue(): number | undefined {
		return this.#earliest()?.due;
	}

	/** Moves to `instant`, firing the timers due by then in order; what a timer sets may fire too. */
	advanceTo(instant: number): void {
		for (let next = this.#earliest(); next && next.due <= instant; next = this.#earliest()) {
			this.#pending.delete(next);
			this.#now = Math.max(this.#now, next.due);
			next.fire();
		}
		this.#now = Math.max(this.#now, instant);
	}

	/** Moves forward by `lengthMs`; see {@link advanceTo}. */
	advance(lengthMs: number): void {
		this.advanceTo(this.#now + lengthMs);
	}

	#earliest(): Pending | undefined {
		let first: Pending | undefined;
		for (const pending of this.#pending) {
			if (!first || pending.due < first.due || (pending.due === first.due && pending.order < first.order))
				first = pending;
		}
		return first;
	}
}
