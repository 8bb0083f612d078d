import type { BackoffPolicy } from './backoff.ts';
import type { Clock } from './clock.ts';
import type { Metrics } from './metrics.ts';
import { WorkQueue } from './work-queue.ts';

/**
 * The one way out of a reconciler. `done`: nothing more until something changes. `again`: look again
 * after a time. A thrown error means: try again after a backoff. A thrown {@link TerminalError} means:
 * trying again cannot help; it is reported and the key rests until something changes.
 */
export type Outcome = { readonly kind: 'done' } | { readonly kind: 'again'; readonly afterMs: number };

/** Nothing more to do until the key is added again. */
export const DONE: Outcome = { kind: 'done' };

/** Look at the key again after `afterMs` milliseconds, or earlier if it is added. */
export function again(afterMs: number): Outcome {
	return { kind: 'again', afterMs };
}

/** An error that a retry cannot mend. */
export class TerminalError extends Error {
	override readonly name = 'TerminalError';
}

/** What a {@link ReconcileLoop} is made of. */
export interface ReconcileLoopOptions {
	/** Of its queue, in the metrics; upstream's where there is one. */
	readonly name: string;
	readonly clock: Clock;
	readonly metrics: Metrics;
	/** How many keys are worked on at once; one key never is by two. */
	readonly workers: number;
	readonly backoff: BackoffPolicy;
	/**
	 * How many milliseconds (at most 1,000) the key rests after a pass that took so many, whatever asks for it.
	 * Without a rest, a key whose passes grow with its size would keep the machine busy; with one, each pass
	 * covers more changes. By default no key rests.
	 */
	restMs?(key: string, tookMs: number): number;
	reconcile(key: string): Promise<Outcome>;
	/** Told of every error a pass ended with, before the key is tried again. */
	onError(key: string, error: unknown): void;
}

const LONGEST_REST_MS = 1000;

/** Takes keys from a {@link WorkQueue} and reconciles each, until it is stopped. */
export class ReconcileLoop {
	readonly queue: WorkQueue;
	readonly #options: ReconcileLoopOptions;

	constructor(options: ReconcileLoopOptions) {
		this.#options = options;
		this.queue = new WorkQueue(options);
	}

	/** Asks for a pass over `key`, as soon as its rest allows. */
	add(key: string): void {
		this.queue.add(key);
	}

	/** Asks for a pass over `key` that may wait for `delayMs`. */
	addAfter(key: string, delayMs: number): void {
		this.queue.addAfter(key, delayMs);
	}

	/** Works until `signal` aborts and the passes under way have ended. */
	async run(signal: AbortSignal): Promise<void> {
		const close = (): void => this.queue.close();
		signal.addEventListener('abort', close, { once: true });
		if (signal.aborted) close();
		await Promise.all(Array.from({ length: this.#options.workers }, () => this.#work()));
	}

	async #work(): Promise<void> {
		for (let key = await this.queue.take(); key !== undefined; key = await this.queue.take()) {
			await this.#pass(key);
		}
	}

	async #pass(key: string): Promise<void> {
		const { clock, reconcile, onError } = this.#options;
		const started = clock.monotonic();
		try {
			const outcome = await reconcile(key);
			this.queue.forget(key);
			if (outcome.kind === 'again') this.queue.addAfter(key, outcome.afterMs);
		} catch (error) {
			onError(key, error);
			if (error instanceof TerminalError) this.queue.forget(key);
			else this.queue.addRateLimited(key);
		}
		const restMs = Math.min(this.#options.restMs?.(key, clock.monotonic() - started) ?? 0, LONGEST_REST_MS);
		this.queue.done(key, restMs >= 1 ? restMs : 0);
	}
}
