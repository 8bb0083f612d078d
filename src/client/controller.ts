/**
 * The frame of all components that follow informers: the controllers, the scheduler and the workers of a node
 * agent. A component declares which changes concern which keys and how to reconcile a key; the frame does the
 * rest, in the same way for all of them.
 *
 * 1. The component sees no object before all informers that it follows have synced: an object that is missing
 *    from a cache does not exist, or did not when the cache was filled.
 * 2. It subscribes in the order of the declaration, and gets the objects of the caches in that order: a function
 *    of `watches` may use what an earlier one has noted.
 * 3. After a Conflict the next pass over the key waits until the informer shows another version of its object, at
 *    most for the backoff: see conflicts.ts.
 * 4. A rejection of any part ends the others first and then the whole ({@link runTogether}). No work of the frame
 *    outlives `run`; keys that arrive later are ignored.
 */

import type { KubeObject } from '../api/meta/object-meta.ts';
import { aborted } from '../base/aborted.ts';
import type { Clock } from '../base/clock.ts';
import type { Work } from '../base/lifecycle.ts';
import type { Metrics } from '../base/metrics.ts';
import type { BackoffPolicy } from '../base/queue/backoff.ts';
import { type Outcome, ReconcileLoop } from '../base/queue/reconcile-loop.ts';
import { runTogether } from '../base/queue/run-together.ts';
import { Conflicts, type Subjects } from './conflicts.ts';
import { type Informer, keyOfObject } from './informer.ts';
import { allSynced } from './informers.ts';

/** Queues keys, at once or later. */
export interface KeyQueue {
	/** Requests a pass over `key`, as soon as a worker is free. */
	add(key: string): void;
	/** Requests a pass over `key` in `delayMs` milliseconds; an earlier pass does not cancel it. */
	addAfter(key: string, delayMs: number): void;
}

/** A key to be queued at once, or after a time. */
export type KeyRequest = string | { readonly key: string; readonly afterMs: number };

/** The keys that a change concerns. (`object` excludes a lone string, whose letters would become keys.) */
export type Keys = Iterable<KeyRequest> & object;

/** The result of a function of {@link watch} for a change that concerns no key. */
export const NO_KEYS: Keys = [];

/** For {@link watch}: the key of a new or changed object itself. A deleted object concerns no key. */
export function ownKey(object: KubeObject | undefined): Keys {
	return object ? [keyOfObject(object)] : NO_KEYS;
}

/** For {@link watch}: the key of an object that was added, changed or deleted. */
export function keyOfEither(object: KubeObject | undefined, old: KubeObject | undefined): Keys {
	return ownKey(object ?? old);
}

/** Time after which a controller repeats a pass that another writer has overtaken. */
export const OVERTAKEN_MS = 50;

/** An informer to follow; {@link watch} makes one. */
export interface Watch {
	/** Resolves as {@link Informer.synced} does. */
	readonly synced: Promise<boolean>;
	/** Queues the keys of each object in the cache, and of every later change. */
	subscribe(queue: KeyQueue): void;
}

/**
 * Follows `informer`. `keys` returns the keys that a change concerns: for an update it gets both versions, for a
 * new object only `object`, and for a deleted one only `old`.
 */
export function watch<T extends KubeObject>(
	informer: Pick<Informer<T>, 'synced' | 'subscribe'>,
	keys: (object: T | undefined, old: T | undefined) => Keys,
): Watch {
	return {
		synced: informer.synced,
		subscribe: (queue) =>
			informer.subscribe((object, old) => {
				for (const key of keys(object, old)) {
					if (typeof key === 'string') queue.add(key);
					else queue.addAfter(key.key, key.afterMs);
				}
			}),
	};
}

/** What a controller follows, and how it reconciles. */
export interface ControllerDeclaration {
	/** The name of the queue in the metrics; upstream's name where upstream has this controller. */
	readonly name: string;
	/** The informers, in the order in which the controller subscribes to them. */
	readonly watches: readonly Watch[];
	/**
	 * Other sources of keys, such as the events of a runtime. Each is called once the controller has subscribed to
	 * the informers, and runs until it has no more keys or `signal` aborts. A rejection fails the controller.
	 */
	readonly sources?: readonly ((queue: KeyQueue, signal: AbortSignal) => Promise<void>)[];
	/** Maximum number of keys that are reconciled at once. Two workers never reconcile the same key. */
	readonly workers: number;
	/** The delays before a failed pass is repeated. */
	readonly backoff: BackoffPolicy;
	/** The objects that the keys stand for: a change of one ends the backoff after a Conflict. */
	readonly subjects?: Subjects;
	/** See `ReconcileLoopOptions.restMs`. */
	restMs?(key: string, tookMs: number): number;
	/** One pass: brings the object of `key` closer to its desired state. */
	reconcile(key: string): Promise<Outcome>;
}

/** The dependencies of a {@link Controller}, and therefore of each component that has one. */
export interface ControllerContext {
	readonly clock: Clock;
	readonly metrics: Metrics;
	/** Called with each error that ends a pass, before the retry. If it throws, the controller fails. */
	readonly onError: (key: string, error: unknown) => void;
}

/** A running declaration. Keys may be added at any time; they are reconciled while it runs. */
export class Controller implements KeyQueue {
	readonly #declaration: ControllerDeclaration;
	readonly #loop: ReconcileLoop;
	/** The watch that ends the backoffs after conflicts, if the declaration names its subjects. */
	readonly #ownWatches: readonly Watch[];

	constructor(declaration: ControllerDeclaration, { clock, metrics, onError }: ControllerContext) {
		const { name, workers, backoff, subjects } = declaration;
		this.#declaration = declaration;
		const reconcile = (key: string): Promise<Outcome> => declaration.reconcile(key);
		const conflicts = subjects && new Conflicts(subjects);
		this.#ownWatches = conflicts
			? [{ synced: subjects.synced, subscribe: () => conflicts.subscribe((key) => this.add(key)) }]
			: [];
		this.#loop = new ReconcileLoop({
			name,
			clock,
			metrics,
			workers,
			backoff,
			onError,
			restMs: (key, tookMs) => declaration.restMs?.(key, tookMs) ?? 0,
			reconcile: (key) => (conflicts ? conflicts.pass(key, reconcile) : reconcile(key)),
		});
	}

	add(key: string): void {
		this.#loop.add(key);
	}

	addAfter(key: string, delayMs: number): void {
		this.#loop.addAfter(key, delayMs);
	}

	/** Number of failed passes over `key` since its last good one. */
	failures(key: string): number {
		return this.#loop.queue.failures(key);
	}

	/** Runs until `signal` aborts or an informer, which its owner runs, stops before it has synced. */
	run(signal: AbortSignal): Promise<void> {
		const { watches, sources = [] } = this.#declaration;
		const works = sources.map((source) => (stop: AbortSignal) => source(this, stop));
		const all = [...watches, ...this.#ownWatches];
		return runSynced(
			{ watches: all, queue: this, works: [(stop) => this.#loop.run(stop), ...works] },
			signal,
		);
	}
}

/** What {@link runSynced} runs. */
export interface SyncedRun {
	/** The informers, in the order of the subscriptions. */
	readonly watches: readonly Watch[];
	/** Receives the keys. */
	readonly queue: KeyQueue;
	/** Run until the signal aborts, after the subscriptions. */
	readonly works: readonly Work[];
}

/**
 * The frame without a {@link ReconcileLoop}, for a component that has a queue of its own: waits until the
 * informers have synced, subscribes in order, and runs `works` until `signal` aborts.
 */
export async function runSynced({ watches, queue, works }: SyncedRun, signal: AbortSignal): Promise<void> {
	if (!(await syncedBefore(signal, watches)) || signal.aborted) return;
	for (const each of watches) each.subscribe(queue);
	await runTogether(works, signal);
}

/** Resolves as {@link allSynced} does, or to false once `signal` aborts. */
function syncedBefore(signal: AbortSignal, watches: readonly Watch[]): Promise<boolean> {
	return new Promise((resolve, reject) => {
		void aborted(signal).then(() => resolve(false));
		allSynced(watches).then(resolve, reject);
	});
}
