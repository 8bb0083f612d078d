import type { ResourceDefinition } from '../api/meta/resource.ts';
import type { Change, Store, WatchHandle } from '../store/store.ts';
import type { ObjectChange } from './change-window.ts';
import { type DamagedObject, DamagedObjectsError, damageOf } from './damaged-objects.ts';
import { ResourceCache } from './resource-cache.ts';
import { REGISTRY_PREFIX, StoredObject } from './stored-object.ts';

/** What an {@link ObjectCache} is made of. */
export interface ObjectCacheOptions {
	readonly store: Store;
	readonly resources: readonly ResourceDefinition[];
	/** Deletes stored values that cannot be read, rather than refuse to start. */
	readonly discardDamaged?: boolean;
	/** Told of a watch that threw. */
	readonly onError: (error: unknown) => void;
	/** Told why the cache no longer follows the store. */
	readonly onStoreLost: (error: Error) => void;
}

/**
 * Every live object, by resource, kept up to date by one watch on the store.
 *
 * 1. It shows exactly what the store held at `revision`: all of a batch is taken in before anybody is told.
 * 2. Watches in this process are told synchronously while the store tells us, so before the write's promise
 *    resolves. Watches over connections are only woken then, and read the change after the write was answered.
 */
export class ObjectCache {
	readonly resources: readonly ResourceCache[];
	readonly #options: ObjectCacheOptions;
	readonly #byPrefix = new Map<string, ResourceCache>();
	#revision = 0;
	#failure: Error | undefined;
	#watch: WatchHandle | undefined;
	/** Called after each batch of changes. */
	readonly #listeners = new Set<() => void>();

	constructor(options: ObjectCacheOptions) {
		this.#options = options;
		this.resources = options.resources.map((definition) => new ResourceCache(definition));
		for (const resource of this.resources) this.#byPrefix.set(resource.codec.keyPrefix, resource);
	}

	/** The revision that the cache shows. */
	get revision(): number {
		return this.#revision;
	}

	/** Why the cache no longer follows the store, if it doesn't. */
	get failure(): Error | undefined {
		return this.#failure;
	}

	/** The cache of a resource, if it is served. */
	of(group: string, resource: string): ResourceCache | undefined {
		return this.#byPrefix.get(`${REGISTRY_PREFIX}${group || 'core'}/${resource}/`);
	}

	/**
	 * Loads what the store holds and follows it from there. Rejects with a {@link DamagedObjectsError} if it
	 * holds what cannot be read.
	 */
	async start(): Promise<void> {
		const { store } = this.#options;
		const { revision, entries } = await store.range({ prefix: REGISTRY_PREFIX });
		const damaged: DamagedObject[] = [];
		for (const { key, value, revision: at } of entries) {
			const resource = this.#resourceOf(key);
			if (!resource) continue;
			const stored = new StoredObject(resource.codec, { key, value, revision: at });
			const damage = damageOf(stored);
			if (damage) damaged.push(damage);
			else resource.load(stored);
		}
		if (damaged.length > 0) await this.#discard(damaged);
		this.#revision = revision;
		for (const resource of this.resources) resource.loaded(revision);
		this.#watch = store.watch(
			{ prefix: REGISTRY_PREFIX, after: revision },
			{ changes: (batch) => this.#take(batch), ended: (error) => this.#fail(error) },
		);
	}

	/** Resolves once the cache shows `revision` or a later one, or when `signal` aborts. */
	reached(revision: number, signal: AbortSignal): Promise<void> {
		return new Promise((resolve) => {
			const look = (): void => {
				if (this.#revision < revision && !signal.aborted) return;
				this.#listeners.delete(look);
				signal.removeEventListener('abort', look);
				resolve();
			};
			this.#listeners.add(look);
			signal.addEventListener('abort', look);
			look();
		});
	}

	/** Stops following the store. */
	stop(): void {
		this.#watch?.stop();
	}

	async #discard(damaged: readonly DamagedObject[]): Promise<void> {
		const { store, discardDamaged, onError } = this.#options;
		if (!discardDamaged) throw new DamagedObjectsError(damaged);
		for (const { key, revision, reason } of damaged) {
			await store.write({ type: 'delete', key, expected: revision });
			onError(new Error(`deleted ${key}, which could not be read: ${reason}`));
		}
	}

	#take(batch: readonly Change[]): void {
		const touched = new Map<ResourceCache, ObjectChange[]>();
		for (const change of batch) {
			const resource = this.#resourceOf(change.type === 'put' ? change.entry.key : change.key);
			if (resource) {
				const changes = touched.get(resource);
				if (changes) changes.push(resource.apply(change));
				else touched.set(resource, [resource.apply(change)]);
			}
			this.#revision = change.revision;
		}
		for (const [resource, changes] of touched) resource.dispatch(changes, this.#options.onError);
		for (const listener of [...this.#listeners]) listener();
	}

	#fail(error: Error): void {
		this.#failure = error;
		this.#options.onStoreLost(error);
		for (const resource of this.resources) resource.fail(error);
	}

	#resourceOf(key: string): ResourceCache | undefined {
		const slash = key.indexOf('/', key.indexOf('/', REGISTRY_PREFIX.length) + 1);
		return this.#byPrefix.get(key.slice(0, slash + 1));
	}
}
