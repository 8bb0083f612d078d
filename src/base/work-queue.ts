import { type BackoffPolicy, backoffDelayMs } from './backoff.ts';
import type { Clock, Timer } from './clock.ts';

/**
 * A level-triggered queue of keys, after client-go's workqueue.
 *
 * 1. A key is handed to at most one worker at a time; `done` ends that.
 * 2. A key added while it waits is there once; one added while it is worked on comes again after `done`.
 * 3. Of two delayed additions of one key the earlier wins.
 */
export class WorkQueue {
	readonly #clock: Clock;
	readonly #backoff: BackoffPolicy;
	readonly #waiting = new Set<string>();
	readonly #working = new Set<string>();
	readonly #again = new Set<string>();
	readonly #delayed = new Map<string, { due: number; timer: Timer }>();
	readonly #failures = new Map<string, number>();
	readonly #takers: Array<(key: string | undefined) => void> = [];
	#closed = false;

	constructor(options: { clock: Clock; backoff: BackoffPolicy }) {
		this.#clock = options.clock;
		this.#backoff = options.backoff;
	}

	/** How many keys wait for a worker now; delayed ones are not among them. */
	get depth(): number {
		return this.#waiting.size;
	}

	/** Puts `key` in line. */
	add(key: string): void {
		if (this.#closed) return;
		if (this.#working.has(key)) {
			this.#again.add(key);
			return;
		}
		const taker = this.#takers.shift();
		if (!taker) {
			this.#waiting.add(key);
			return;
		}
		this.#working.add(key);
		taker(key);
	}

	/** Puts `key` in line `delayMs` from now, unless it is due earlier already. */
	addAfter(key: string, delayMs: number): void {
		if (this.#closed) return;
		if (delayMs <= 0) {
			this.add(key);
			return;
		}
		const due = this.#clock.now() + delayMs;
		const earlier = this.#delayed.get(key);
		if (earlier && earlier.due <= due) return;
		earlier?.timer.cancel();
		const timer = this.#clock.setTimer(delayMs, () => {
			this.#delayed.delete(key);
			this.add(key);
		});
		this.#delayed.set(key, { due, timer });
	}

	/** Counts a failure of `key` and puts it in line after the backoff delay. */
	addRateLimited(key: string): void {
		const failures = (this.#failures.get(key) ?? 0) + 1;
		this.#failures.set(key, failures);
		this.addAfter(key, backoffDelayMs(this.#backoff, failures));
	}

	/** Forgets the failures of `key`: its next one starts from the shortest delay. */
	forget(key: string): void {
		this.#failures.delete(key);
	}

	/** How often `key` has failed since it was last forgotten. */
	failures(key: string): number {
		return this.#failures.get(key) ?? 0;
	}

	/** The next key in line, waiting for one if need be; undefined once the queue is closed. */
	take(): Promise<string | undefined> {
		if (this.#closed) return Promise.resolve(undefined);
		const [key] = this.#waiting;
		if (key === undefined) return new Promise((resolve) => this.#takers.push(resolve));
		this.#waiting.delete(key);
		this.#working.add(key);
		return Promise.resolve(key);
	}

	/** Ends the work on `key` that `take` began; if it was added meanwhile, it is in line again. */
	done(key: string): void {
		this.#working.delete(key);
		if (this.#again.delete(key)) this.add(key);
	}

	/** Lets go of every key and every waiting worker. */
	close(): void {
		this.#closed = true;
		for (const { timer } of this.#delayed.values()) timer.cancel();
		this.#delayed.clear();
		this.#waiting.clear();
		for (const taker of this.#takers.splice(0)) taker(undefined);
	}
}
