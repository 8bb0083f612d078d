import type { ResourceDefinition } from '../../api/contract/resource-definition.ts';
import { SortedKeys } from '../../base/collections/sorted-keys.ts';
import type { Change } from '../../store/store.ts';
import { ChangeWindow, ObjectChange } from './change-window.ts';
import type { Matcher } from './matcher.ts';
import { PendingWrite, ResourceCodec, StoredObject, withRevision } from './stored-object.ts';

/** The objects of one resource and its changes, as verbs and watches read them: a {@link ResourceCache} or a view of one. */
export interface ResourceReader {
	readonly codec: ResourceCodec;
	/** The latest changes, which the watches read. */
	readonly window: Pick<ChangeWindow, 'start' | 'after'>;
	readonly definition: ResourceDefinition;
	/** Revision of the latest change of this resource, or at which it was loaded. */
	readonly changedAt: number;
	/** The current object; undefined if it does not exist. `namespace` is empty for cluster-scoped kinds. */
	get(namespace: string, name: string): StoredObject | undefined;
	/** The current object at a key. */
	at(key: string): StoredObject | undefined;
	/**
	 * The objects that can match by namespace and name, in key order, from after the key `after`. The caller
	 * checks labels and other fields, and may take its time: stored objects are immutable, so the array stays
	 * the state at one revision.
	 */
	candidates(selected: Pick<Matcher, 'prefix' | 'key'>, after?: string): readonly StoredObject[];
	/** All objects, in key order. */
	all(): readonly StoredObject[];
	/**
	 * Calls `wake` after each batch of changes, which is then in the {@link window}, and when the cache is no
	 * longer updated; until the returned function is called. `wake` must not throw.
	 */
	onChange(wake: () => void): () => void;
	/**
	 * The object in a change: the cached one if it is still current, so that all readers share one instance.
	 */
	read(change: Extract<Change, { readonly type: 'put' }>): StoredObject;
}

/** The stored objects of one resource, and their watches. Only the {@link ObjectCache} changes it. */
export class ResourceCache implements ResourceReader {
	readonly codec: ResourceCodec;
	readonly window = new ChangeWindow();
	#changedAt = 0;
	readonly #objects = new Map<string, StoredObject>();
	readonly #keys = new SortedKeys();
	readonly #wakers = new Set<() => void>();

	constructor(definition: ResourceDefinition) {
		this.codec = new ResourceCodec(definition);
	}

	get definition(): ResourceDefinition {
		return this.codec.definition;
	}

	get changedAt(): number {
		return this.#changedAt;
	}

	/** Number of objects. */
	get size(): number {
		return this.#objects.size;
	}

	get(namespace: string, name: string): StoredObject | undefined {
		return this.#objects.get(this.codec.key(namespace, name));
	}

	at(key: string): StoredObject | undefined {
		return this.#objects.get(key);
	}

	candidates({ prefix, key: only }: Pick<Matcher, 'prefix' | 'key'>, after = ''): readonly StoredObject[] {
		if (only !== undefined) {
			const stored = this.#objects.get(only);
			return stored && only > after ? [stored] : [];
		}
		const found: StoredObject[] = [];
		for (const key of this.#keys.from(after > prefix ? after : prefix)) {
			if (!key.startsWith(prefix)) break;
			const stored = this.#objects.get(key);
			if (stored && key !== after) found.push(stored);
		}
		return found;
	}

	all(): readonly StoredObject[] {
		return this.candidates({ prefix: this.codec.keyPrefix, key: undefined });
	}

	onChange(wake: () => void): () => void {
		this.#wakers.add(wake);
		return () => void this.#wakers.delete(wake);
	}

	/** Adds an object that was stored before the server started. */
	load(stored: StoredObject): void {
		this.#objects.set(stored.key, stored);
		this.#keys.add(stored.key);
	}

	/** Marks the cache as loaded as of `revision`. */
	loaded(revision: number): void {
		this.#changedAt = revision;
		this.window.reset(revision);
	}

	/** Applies a change without waking the watches; {@link wakeAll} does that once the whole batch is applied. */
	apply(change: Change): void {
		const key = change.type === 'put' ? change.entry.key : change.key;
		const before = this.#objects.get(key);
		const now = change.type === 'put' ? this.read(change) : undefined;
		if (now) this.#objects.set(key, now);
		else this.#objects.delete(key);
		before?.release();
		if (!before) this.#keys.add(key);
		if (!now) this.#keys.delete(key);
		this.#changedAt = change.revision;
		this.window.push(new ObjectChange(change.revision, before, now));
	}

	read({ entry, revision }: Extract<Change, { readonly type: 'put' }>): StoredObject {
		const { key, value, attachment } = entry;
		const cached = this.#objects.get(key);
		if (cached?.revision === revision) return cached;
		const at = { key, value, revision };
		if (!(attachment instanceof PendingWrite)) return new StoredObject(this.codec, at);
		attachment.stored ??= new StoredObject(this.codec, at, withRevision(attachment.object, revision));
		return attachment.stored;
	}

	/** Wakes all watches: changes were applied, or the cache is no longer updated. */
	wakeAll(): void {
		for (const wake of [...this.#wakers]) if (this.#wakers.has(wake)) wake();
	}
}
