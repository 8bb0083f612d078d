import type { ResourceDefinition } from '../../api/contract/resource-definition.ts';
import { storedDefinition } from '../../api/contract/resource-view.ts';
import type { Change, Store, WatchHandle } from '../../store/store.ts';
import { type DamagedObject, DamagedObjectsError, damageOf } from './damaged-objects.ts';
import { ResourceCache, type ResourceReader } from './resource-cache.ts';
import { REGISTRY_PREFIX, resourcePrefix, StoredObject } from './stored-object.ts';
import { ViewCache } from './view-cache.ts';

/** Options of an {@link ObjectCache}. */
export interface ObjectCacheOptions {
	readonly store: Store;
	readonly resources: readonly ResourceDefinition[];
	/** Resources whose objects are never stored: {@link ObjectCache.of} finds them, with no objects. */
	readonly virtual?: readonly ResourceDefinition[];
	/** Views of `resources`; those whose stored resource is missing are not served. */
	readonly views?: readonly ResourceDefinition[];
	/** Delete stored values that cannot be decoded; by default `start` rejects. */
	readonly discardDamaged?: boolean;
	/** Called with a report of each discarded value. */
	readonly onError: (error: unknown) => void;
	/** Called when the store ends its watch, so that the cache is no longer updated. */
	readonly onStoreLost: (error: Error) => void;
}

/**
 * All stored objects, by resource, kept current by one watch on the store.
 *
 * 1. The cache always shows exactly what the store contained at `revision`: a batch of changes is applied
 *    completely before any watch is notified.
 * 2. Watches of callers in this process are notified synchronously when the store reports a change, so before
 *    the promise of the write resolves. A controller therefore never sees its cache older than its own
 *    writes. Watches over connections are only woken then, and read the change after the write has been
 *    answered.
 */
export class ObjectCache {
	readonly resources: readonly ResourceCache[];
	readonly #options: ObjectCacheOptions;
	readonly #byPrefix = new Map<string, ResourceCache>();
	/** By the prefix that their objects would have if they were stored. */
	readonly #views = new Map<string, ViewCache>();
	#revision = 0;
	#failure: Error | undefined;
	#watch: WatchHandle | undefined;
	/** Called after each batch of changes. */
	readonly #listeners = new Set<() => void>();

	constructor(options: ObjectCacheOptions) {
		this.#options = options;
		this.resources = options.resources.map((definition) => new ResourceCache(definition));
		const virtual = (options.virtual ?? []).map((definition) => new ResourceCache(definition));
		for (const resource of [...this.resources, ...virtual])
			this.#byPrefix.set(resource.codec.keyPrefix, resource);
		for (const view of options.views ?? []) {
			const { group, resource } = storedDefinition(view);
			const stored = this.#byPrefix.get(resourcePrefix(group, resource));
			if (stored) this.#views.set(resourcePrefix(view.group, view.resource), new ViewCache(view, stored));
		}
	}

	/** The revision that the cache has reached. */
	get revision(): number {
		return this.#revision;
	}

	/** Why the cache is no longer updated; undefined while it is. */
	get failure(): Error | undefined {
		return this.#failure;
	}

	/** Returns the cache of a stored resource, which is no view; undefined if the server does not serve it. */
	stored(group: string, resource: string): ResourceCache | undefined {
		return this.#byPrefix.get(resourcePrefix(group, resource));
	}

	/** Returns the objects of a resource; undefined if the server does not serve it. */
	of(group: string, resource: string): ResourceReader | undefined {
		return this.stored(group, resource) ?? this.#views.get(resourcePrefix(group, resource));
	}

	/**
	 * Loads all objects from the store and watches it from there. Rejects with a {@link DamagedObjectsError} if
	 * values cannot be decoded, unless `discardDamaged` is set.
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
			{ changes: (batch) => this.#applyBatch(batch), ended: (error) => this.#fail(error) },
		);
	}

	/** Resolves once the cache has reached `revision` or is no longer updated, or when `signal` aborts. */
	reached(revision: number, signal: AbortSignal): Promise<void> {
		return new Promise((resolve) => {
			const check = (): void => {
				if (this.#revision < revision && !signal.aborted && !this.#failure) return;
				this.#listeners.delete(check);
				signal.removeEventListener('abort', check);
				resolve();
			};
			this.#listeners.add(check);
			signal.addEventListener('abort', check);
			check();
		});
	}

	/** Stops the watch on the store. */
	stop(): void {
		this.#watch?.stop();
	}

	async #discard(damaged: readonly DamagedObject[]): Promise<void> {
		const { store, discardDamaged, onError } = this.#options;
		if (!discardDamaged) throw new DamagedObjectsError(damaged);
		for (const { key, revision, reason } of damaged) {
			await store.write({ type: 'delete', key, expected: revision });
			onError(new Error(`deleted the stored object ${key}, which could not be decoded: ${reason}`));
		}
	}

	#applyBatch(batch: readonly Change[]): void {
		const changed = new Set<ResourceCache>();
		for (const change of batch) {
			const resource = this.#resourceOf(change.type === 'put' ? change.entry.key : change.key);
			if (resource) {
				resource.apply(change);
				changed.add(resource);
			}
			this.#revision = change.revision;
		}
		for (const resource of changed) resource.wakeAll();
		for (const listener of [...this.#listeners]) listener();
	}

	#fail(error: Error): void {
		this.#failure = error;
		this.#options.onStoreLost(error);
		for (const resource of this.resources) resource.wakeAll();
		for (const listener of [...this.#listeners]) listener();
	}

	#resourceOf(key: string): ResourceCache | undefined {
		const slash = key.indexOf('/', key.indexOf('/', REGISTRY_PREFIX.length) + 1);
		return this.#byPrefix.get(key.slice(0, slash + 1));
	}
}
