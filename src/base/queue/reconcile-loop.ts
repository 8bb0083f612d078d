import { aborted } from '../aborted.ts';
import type { Clock } from '../clock.ts';
import type { Metrics } from '../metrics.ts';
import type { BackoffPolicy } from './backoff.ts';
import { runTogether } from './run-together.ts';
import { WorkQueue } from './work-queue.ts';

/**
 * What a reconciler asks for at the end of a pass, after controller-runtime's `reconcile.Result`. `done`:
 * no further pass until the key is added again. `again`: another pass after a time. `backoff`: another pass
 * after a backoff, which grows as after an error. A thrown error asks for the same, and is reported. A thrown {@link TerminalError} says that a retry cannot help: the loop
 * reports it and does not reconcile the key until it is added again.
 */
export type Outcome =
	| { readonly kind: 'done' }
	| { readonly kind: 'again'; readonly afterMs: number }
	| { readonly kind: 'backoff' };

/** The reconciler needs no further pass until the key is added again. */
export const DONE: Outcome = { kind: 'done' };

/** The pass failed in an expected way: the reconciler needs another one after a backoff, and no report. */
export const BACKOFF: Outcome = { kind: 'backoff' };

/** The reconciler needs another pass after `afterMs` milliseconds, or earlier if the key is added. */
export function again(afterMs: number): Outcome {
	return { kind: 'again', afterMs };
}

/** An error that a retry cannot repair, such as an invalid object. */
export class TerminalError extends Error {
	override readonly name = 'TerminalError';
}

/** The dependencies and settings of a {@link ReconcileLoop}. */
export interface ReconcileLoopOptions {
	/** The name of the queue in the metrics; upstream's name where upstream has this controller. */
	readonly name: string;
	readonly clock: Clock;
	readonly metrics: Metrics;
	/** Maximum number of keys that are reconciled at once. Two workers never reconcile the same key. */
	readonly workers: number;
	readonly backoff: BackoffPolicy;
	/**
	 * Minimum time in milliseconds between a pass that took `tookMs` and the next pass over the same key; at
	 * most 1,000. Without it, a key whose passes take longer the larger its object is would keep a worker
	 * busy all the time; with it, each pass covers more changes. 0 by default.
	 */
	restMs?(key: string, tookMs: number): number;
	/** One pass: brings the object of `key` closer to its desired state. */
	reconcile(key: string): Promise<Outcome>;
	/** The loop calls it with every error that ends a pass, before it schedules the retry. */
	onError(key: string, error: unknown): void;
}

const MAX_REST_MS = 1000;

/**
 * Workers that take keys from a {@link WorkQueue} and reconcile each. All controllers run in this frame,
 * so that retries, backoff and metrics are the same for all of them.
 */
export class ReconcileLoop {
	readonly queue: WorkQueue;
	readonly #options: ReconcileLoopOptions;

	constructor(options: ReconcileLoopOptions) {
		this.#options = options;
		this.queue = new WorkQueue(options);
	}

	/** Requests a pass over `key`, as soon as a worker is free and the rest of the key is over. */
	add(key: string): void {
		this.queue.add(key);
	}

	/** Requests a pass over `key` in `delayMs` milliseconds; an earlier pass does not cancel it. */
	addAfter(key: string, delayMs: number): void {
		this.queue.addAfter(key, delayMs);
	}

	/**
	 * Reconciles keys until `signal` aborts; resolves once the passes that were running have ended. If `onError` or
	 * `restMs` throws, takes no further key, and rejects with the error once the passes have ended.
	 */
	async run(signal: AbortSignal): Promise<void> {
		const closeAtEnd = (stop: AbortSignal): Promise<void> => {
			stop.addEventListener('abort', () => this.queue.close(), { once: true });
			if (stop.aborted) this.queue.close();
			return aborted(stop);
		};
		const workers = Array.from({ length: this.#options.workers }, () => () => this.#work());
		await runTogether([closeAtEnd, ...workers], signal);
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
			if (outcome.kind === 'backoff') this.queue.addRateLimited(key);
			else this.queue.forget(key);
			if (outcome.kind === 'again') this.queue.addAfter(key, outcome.afterMs);
		} catch (error) {
			onError(key, error);
			if (error instanceof TerminalError) this.queue.forget(key);
			else this.queue.addRateLimited(key);
		}
		const restMs = Math.min(this.#options.restMs?.(key, clock.monotonic() - started) ?? 0, MAX_REST_MS);
		this.queue.done(key, restMs >= 1 ? restMs : 0);
	}
}
