import { type BackoffPolicy, backoffDelayMs } from './backoff.ts';
import type { Clock, Timer } from './clock.ts';
import { FifoQueue } from './fifo-queue.ts';
import type { Metrics } from './metrics.ts';
import { QueueMetrics } from './queue-metrics.ts';

/** What a {@link WorkQueue} is made of. */
export interface WorkQueueOptions {
	/** Told apart by it in the metrics. */
	readonly name: string;
	readonly clock: Clock;
	readonly backoff: BackoffPolicy;
	readonly metrics: Metrics;
}

/**
 * A level-triggered queue of keys, after client-go's workqueue.
 *
 * 1. A key is handed to at most one worker at a time; `done` ends that.
 * 2. A key added while it waits is there once; one added while it is worked on comes again after `done`.
 * 3. Of two delayed additions of one key the earlier wins.
 * 4. A key that rests after its `done` is added as one that is worked on; it counts as neither working
 *    nor waiting in the metrics of the queue.
 */
export class WorkQueue {
	readonly #clock: Clock;
	readonly #backoff: BackoffPolicy;
	readonly #metrics: QueueMetrics;
	/** The keys that wait for a worker, oldest first, and the same keys to look one up. */
	readonly #line = new FifoQueue<{ readonly key: string; readonly since: number }>();
	readonly #waiting = new Set<string>();
	/** Each key that is worked on with the time at which that began. */
	readonly #working = new Map<string, number>();
	/** The keys that were added while they were worked on or rested. */
	readonly #again = new Map<string, number>();
	readonly #resting = new Map<string, Timer>();
	readonly #delayed = new Map<string, { due: number; timer: Timer }>();
	readonly #failures = new Map<string, number>();
	readonly #takers = new FifoQueue<(key: string | undefined) => void>();
	#closed = false;

	constructor({ name, clock, backoff, metrics }: WorkQueueOptions) {
		this.#clock = clock;
		this.#backoff = backoff;
		this.#metrics = new QueueMetrics(metrics, name, () => ({
			depth: this.#waiting.size + this.#again.size,
			workingMs: [...this.#working.values()].map((since) => clock.monotonic() - since),
		}));
	}

	/** How many keys wait for a worker now; delayed ones are not among them. */
	get depth(): number {
		return this.#waiting.size;
	}

	/** Puts `key` in line. */
	add(key: string): void {
		if (this.#closed || this.#waiting.has(key) || this.#again.has(key)) return;
		this.#metrics.added();
		const now = this.#clock.monotonic();
		if (this.#working.has(key) || this.#resting.has(key)) this.#again.set(key, now);
		else this.#enter(key, now);
	}

	#enter(key: string, since: number): void {
		const taker = this.#takers.shift();
		if (!taker) {
			this.#waiting.add(key);
			this.#line.push({ key, since });
			return;
		}
		this.#start(key, since);
		taker(key);
	}

	#start(key: string, since: number): void {
		const now = this.#clock.monotonic();
		this.#working.set(key, now);
		this.#metrics.waited(now - since);
	}

	/** Puts `key` in line `delayMs` from now, unless it is due earlier already. */
	addAfter(key: string, delayMs: number): void {
		if (this.#closed) return;
		this.#metrics.retried();
		if (delayMs <= 0) {
			this.add(key);
			return;
		}
		const due = this.#clock.monotonic() + delayMs;
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
		const next = this.#line.shift();
		if (!next) return new Promise((resolve) => this.#takers.push(resolve));
		const { key, since } = next;
		this.#waiting.delete(key);
		this.#start(key, since);
		return Promise.resolve(key);
	}

	/**
	 * Ends the work on `key` that `take` began; if it was added meanwhile, it is in line again, but not
	 * before it has rested for `restMs`.
	 */
	done(key: string, restMs = 0): void {
		const since = this.#working.get(key);
		if (since !== undefined) this.#metrics.worked(this.#clock.monotonic() - since);
		this.#working.delete(key);
		if (this.#closed) return;
		if (restMs <= 0) {
			this.#wake(key);
			return;
		}
		const timer = this.#clock.setTimer(restMs, () => {
			this.#resting.delete(key);
			this.#wake(key);
		});
		this.#resting.set(key, timer);
	}

	#wake(key: string): void {
		const since = this.#again.get(key);
		if (since === undefined) return;
		this.#again.delete(key);
		this.#enter(key, since);
	}

	/** Lets go of every key and every waiting worker. */
	close(): void {
		this.#closed = true;
		for (const { timer } of this.#delayed.values()) timer.cancel();
		for (const timer of this.#resting.values()) timer.cancel();
		this.#delayed.clear();
		this.#resting.clear();
		this.#waiting.clear();
		this.#line.drain();
		this.#again.clear();
		for (const taker of this.#takers.drain()) taker(undefined);
	}
}
