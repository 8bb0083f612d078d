import type { Clock, Timer } from '../../../src/base/clock.ts';

/**
 * The life of one simulated process, and the clock of everything in it. When the process dies, its timers
 * never fire again and its pending calls never settle. The code of a dead process can still run to its next
 * `await`, but every call that it makes to the outside then {@link hang}s, so it has no effect any more.
 */
export class ProcessLife implements Clock {
	readonly name: string;
	readonly #clock: Clock;
	readonly #timers = new Set<Timer>();
	readonly #onDeath: Array<() => void> = [];
	readonly #stopping = new AbortController();
	#alive = true;
	#readAt = 0;
	/** How often the process has read the clock at the instant {@link #readAt}. */
	#reads = 0;

	constructor(name: string, clock: Clock) {
		this.name = name;
		this.#clock = clock;
	}

	/** Whether the process has not died. */
	get isAlive(): boolean {
		return this.#alive;
	}

	/** Aborts when the process is asked to stop in an orderly way, and not when it dies. */
	get stopping(): AbortSignal {
		return this.#stopping.signal;
	}

	now(): number {
		const now = this.#clock.now();
		this.#reads = now === this.#readAt ? this.#reads + 1 : 1;
		this.#readAt = now;
		// A component that loops without a request would keep virtual time from advancing for ever.
		if (this.#reads > MOST_READS) throw new Error('it reads the clock without end');
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

	/** Asks the process to stop. */
	stop(): void {
		this.#stopping.abort();
	}

	/** Kills the process at once. */
	die(): void {
		if (!this.#alive) return;
		this.#alive = false;
		for (const timer of this.#timers) timer.cancel();
		this.#timers.clear();
		for (const listener of this.#onDeath.splice(0)) listener();
	}

	/** Calls `listener` when the process dies. */
	onDeath(listener: () => void): void {
		this.#onDeath.push(listener);
	}

	/** The result of every call that a dead process makes: a promise that never settles. */
	hang<T>(): Promise<T> {
		return new Promise(() => undefined);
	}
}

/** A process that reads the clock more often than this in one instant is in an endless loop. */
const MOST_READS = 100_000;
