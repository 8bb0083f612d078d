import type { Clock, Timer } from '../../src/base/clock.ts';

/**
 * The life of one simulated process. It is the clock of everything in the process, and dies from one
 * moment to the next: its timers never fire again, what it waits for never comes, nobody hears of it.
 * A dead process' code can still run to its next `await`, but whatever it asks of the world then
 * {@link hang}s, so it has no effect any more.
 */
export class ProcessLife implements Clock {
	readonly name: string;
	readonly #clock: Clock;
	readonly #timers = new Set<Timer>();
	readonly #onDeath: Array<() => void> = [];
	readonly #stopping = new AbortController();
	#alive = true;
	#lookedAt = 0;
	/** How often it has looked at the clock since then. */
	#looks = 0;

	constructor(name: string, clock: Clock) {
		this.name = name;
		this.#clock = clock;
	}

	/** Whether it still lives. */
	get isAlive(): boolean {
		return this.#alive;
	}

	/** Aborts when the process is asked to end in an orderly way; a death aborts nothing. */
	get stopping(): AbortSignal {
		return this.#stopping.signal;
	}

	now(): number {
		const now = this.#clock.now();
		this.#looks = now === this.#lookedAt ? this.#looks + 1 : 1;
		this.#lookedAt = now;
		// Whoever runs in circles without a request would never let time go on.
		if (this.#looks > MOST_LOOKS) throw new Error('it looks at the clock without end');
		return now;
	}

	monotonic(): number {
		return this.#clock.monotonic();
	}

	setTimer(delayMs: number, fire: () => void): Timer {
		if (!this.#alive) return { cancel: () => undefined };
		const timer = this.#clock.setTimer(delayMs, () => {
			this.#timers.delete(timer);
			fire();
		});
		this.#timers.add(timer);
		return {
			cancel: () => {
				this.#timers.delete(timer);
				timer.cancel();
			},
		};
	}

	/** Asks the process to end. */
	stop(): void {
		this.#stopping.abort();
	}

	/** Ends the process here and now. */
	die(): void {
		if (!this.#alive) return;
		this.#alive = false;
		for (const timer of this.#timers) timer.cancel();
		this.#timers.clear();
		for (const tell of this.#onDeath.splice(0)) tell();
	}

	/** Calls `tell` when the process dies. */
	onDeath(tell: () => void): void {
		this.#onDeath.push(tell);
	}

	/** What a dead process gets to whatever it asks. */
	hang<T>(): Promise<T> {
		return new Promise(() => undefined);
	}
}

/** More looks at the clock than these in one instant, and somebody is running in circles. */
const MOST_LOOKS = 100_000;
