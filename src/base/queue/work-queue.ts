import type { Clock, Timer } from '../clock.ts';
import { FifoQueue } from '../collections/fifo-queue.ts';
import type { Metrics } from '../metrics.ts';
import { type BackoffPolicy, backoffDelayMs } from './backoff.ts';
import { QueueMetrics } from './queue-metrics.ts';

/** The dependencies and settings of a {@link WorkQueue}. */
export interface WorkQueueOptions {
	/** The label `name` of the queue's metrics. */
	readonly name: string;
	readonly clock: Clock;
	/** The delays of {@link WorkQueue.addRateLimited}. */
	readonly backoff: BackoffPolicy;
	readonly metrics: Metrics;
}

/**
 * A level-triggered queue of keys, after client-go's workqueue. It holds keys and never events or objects:
 * any number of changes of one object become one entry, and the worker reads the current state.
 *
 * 1. At most one worker holds a key at a time, from `take` until the worker calls `done`.
 * 2. A key that is added while it waits is queued once. A key that is added while a worker holds it is
 *    queued once after `done`.
 * 3. Of two delayed additions of one key the earlier wins.
 * 4. A key may rest after `done` for a time that the worker chooses. An addition during the rest takes
 *    effect at its end, as in 2. In the metrics such a key counts as waiting only if it was added.
 */
export class WorkQueue {
	readonly #clock: Clock;
	readonly #backoff: BackoffPolicy;
	readonly #metrics: QueueMetrics;
	/** The keys that wait for a worker, oldest first; `#waiting` holds the same keys for look-up by key. */
	readonly #order = new FifoQueue<{ readonly key: string; readonly addedAt: number }>();
	readonly #waiting = new Set<string>();
	/** The keys that workers hold, each with the monotonic time at which its worker took it. */
	readonly #working = new Map<string, number>();
	/** The keys that were added during their own pass or rest, each with the time of the addition. */
	readonly #readded = new Map<string, number>();
	/** The keys that rest after `done`, each with the timer that ends the rest. */
	readonly #resting = new Map<string, Timer>();
	/** The delayed additions. */
	readonly #delayed = new Map<string, { due: number; timer: Timer }>();
	readonly #failures = new Map<string, number>();
	/** The pending calls of `take`, oldest first. */
	readonly #waiters = new FifoQueue<(key: string | undefined) => void>();
	#closed = false;

	constructor({ name, clock, backoff, metrics }: WorkQueueOptions) {
		this.#clock = clock;
		this.#backoff = backoff;
		this.#metrics = new QueueMetrics(metrics, name, () => ({
			depth: this.#waiting.size + this.#readded.size,
			workingMs: [...this.#working.values()].map((takenAt) => clock.monotonic() - takenAt),
		}));
	}

	/** Number of keys that wait for a worker now, without delayed additions. */
	get depth(): number {
		return this.#waiting.size;
	}

	/** Adds `key` to the end of the queue, unless it is in the queue (rule 2). */
	add(key: string): void {
		if (this.#closed || this.#waiting.has(key) || this.#readded.has(key)) return;
		this.#metrics.added();
		const now = this.#clock.monotonic();
		if (this.#working.has(key) || this.#resting.has(key)) this.#readded.set(key, now);
		else this.#enqueue(key, now);
	}

	#enqueue(key: string, addedAt: number): void {
		const waiter = this.#waiters.shift();
		if (!waiter) {
			this.#waiting.add(key);
			this.#order.push({ key, addedAt });
			return;
		}
		this.#start(key, addedAt);
		waiter(key);
	}

	#start(key: string, addedAt: number): void {
		const now = this.#clock.monotonic();
		this.#working.set(key, now);
		this.#metrics.waited(now - addedAt);
	}

	/** Adds `key` in `delayMs` milliseconds, unless an earlier delayed addition of it is pending (rule 3). */
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

	/** Counts a failure of `key` and adds it after the backoff delay. */
	addRateLimited(key: string): void {
		const failures = (this.#failures.get(key) ?? 0) + 1;
		this.#failures.set(key, failures);
		this.addAfter(key, backoffDelayMs(this.#backoff, failures));
	}

	/** Resets the failure count of `key`: its next failure is followed by the shortest backoff delay. */
	forget(key: string): void {
		this.#failures.delete(key);
	}

	/** Number of failures of `key` since {@link forget} was last called for it. */
	failures(key: string): number {
		return this.#failures.get(key) ?? 0;
	}

	/**
	 * Resolves to the key that has waited longest, as soon as there is one; to undefined once the queue is
	 * closed.
	 */
	take(): Promise<string | undefined> {
		if (this.#closed) return Promise.resolve(undefined);
		const next = this.#order.shift();
		if (!next) return new Promise((resolve) => this.#waiters.push(resolve));
		const { key, addedAt } = next;
		this.#waiting.delete(key);
		this.#start(key, addedAt);
		return Promise.resolve(key);
	}

	/**
	 * Releases `key`, which `take` returned. If it was added since, it is queued again after a rest of
	 * `restMs` milliseconds, and at once by default.
	 */
	done(key: string, restMs = 0): void {
		const takenAt = this.#working.get(key);
		if (takenAt !== undefined) this.#metrics.worked(this.#clock.monotonic() - takenAt);
		this.#working.delete(key);
		if (this.#closed) return;
		if (restMs <= 0) {
			this.#requeue(key);
			return;
		}
		const timer = this.#clock.setTimer(restMs, () => {
			this.#resting.delete(key);
			this.#requeue(key);
		});
		this.#resting.set(key, timer);
	}

	#requeue(key: string): void {
		const addedAt = this.#readded.get(key);
		if (addedAt === undefined) return;
		this.#readded.delete(key);
		this.#enqueue(key, addedAt);
	}

	/** Drops all keys, cancels all timers and resolves every pending `take` to undefined. Cannot be undone. */
	close(): void {
		this.#closed = true;
		for (const { timer } of this.#delayed.values()) timer.cancel();
		for (const timer of this.#resting.values()) timer.cancel();
		this.#delayed.clear();
		this.#resting.clear();
		this.#waiting.clear();
		this.#order.drain();
		this.#readded.clear();
		for (const waiter of this.#waiters.drain()) waiter(undefined);
	}
}
