import type { ResourceDefinition } from '../api/meta/resource.ts';
import { SortedKeys } from '../base/sorted-keys.ts';
import type { Change } from '../store/store.ts';
import { ChangeWindow, ObjectChange } from './change-window.ts';
import type { Matcher } from './matcher.ts';
import { noticesOf, type ObjectNotice } from './notices.ts';
import { ResourceCodec, StoredObject, WriteTicket, withRevision } from './stored-object.ts';

/** A live watch: told of the changes after revision `after` of what it selects. */
export interface LiveWatch {
	readonly selected: Matcher;
	readonly after: number;
	/** Notices in order, at least one, and the revision that they reach. */
	notify(notices: readonly ObjectNotice[], revision: number): void;
	/** Nothing follows, because of `error`. */
	ended(error: Error): void;
}

/** The live objects of one resource, and who watches them. Fed by the {@link ObjectCache} alone. */
export class ResourceCache {
	readonly codec: ResourceCodec;
	/** The latest changes, which watches read. */
	readonly window = new ChangeWindow();
	#changedAt = 0;
	readonly #objects = new Map<string, StoredObject>();
	readonly #keys = new SortedKeys();
	readonly #watches = new Set<LiveWatch>();
	readonly #wakers = new Set<() => void>();

	constructor(definition: ResourceDefinition) {
		this.codec = new ResourceCodec(definition);
	}

	get definition(): ResourceDefinition {
		return this.codec.definition;
	}

	/** The latest revision at which something changed here, or at which it was loaded. */
	get changedAt(): number {
		return this.#changedAt;
	}

	/** How many objects there are. */
	get size(): number {
		return this.#objects.size;
	}

	/** The object as of now; `namespace` is empty for what has none. */
	get(namespace: string, name: string): StoredObject | undefined {
		return this.#objects.get(this.codec.key(namespace, name));
	}

	/** The object at a key as of now. */
	at(key: string): StoredObject | undefined {
		return this.#objects.get(key);
	}

	/**
	 * The objects that may be selected, in the order of their keys, those after the key `after` only: all
	 * that namespace and name allow. Whether the rest matches is for the caller to ask, which can take its
	 * time over it: objects never change, so this is the state at one revision.
	 */
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

	/** Every object, in the order of the keys. */
	all(): readonly StoredObject[] {
		return this.candidates({ prefix: this.codec.keyPrefix, key: undefined });
	}

	/** Has `watch` told of what changes from now on; call what is returned to end that. */
	subscribe(watch: LiveWatch): () => void {
		this.#watches.add(watch);
		return () => void this.#watches.delete(watch);
	}

	/**
	 * Has `wake` called after each batch of changes, once every subscriber was told; it must not throw. Call
	 * what is returned to end that. For watches that read the {@link window} by themselves.
	 */
	onChange(wake: () => void): () => void {
		this.#wakers.add(wake);
		return () => void this.#wakers.delete(wake);
	}

	/** Takes in an object that was there before the server started. */
	load(stored: StoredObject): void {
		this.#objects.set(stored.key, stored);
		this.#keys.add(stored.key);
	}

	/** Everything as of `revision` has been loaded. */
	loaded(revision: number): void {
		this.#changedAt = revision;
		this.window.reset(revision);
	}

	/** Takes in a change; nobody is told yet. */
	apply(change: Change): ObjectChange {
		const key = change.type === 'put' ? change.entry.key : change.key;
		const before = this.#objects.get(key);
		const now = change.type === 'put' ? this.read(change) : undefined;
		if (now) this.#objects.set(key, now);
		else this.#objects.delete(key);
		before?.release();
		if (!before) this.#keys.add(key);
		if (!now) this.#keys.delete(key);
		this.#changedAt = change.revision;
		const applied = new ObjectChange(change.revision, before, now);
		this.window.push(applied);
		return applied;
	}

	/** The object that a change brought; the one in the cache where it is still that. */
	read({ entry, revision }: Extract<Change, { readonly type: 'put' }>): StoredObject {
		const { key, value, companion } = entry;
		const cached = this.#objects.get(key);
		if (cached?.revision === revision) return cached;
		const at = { key, value, revision };
		if (!(companion instanceof WriteTicket)) return new StoredObject(this.codec, at);
		companion.stored ??= new StoredObject(this.codec, at, withRevision(companion.object, revision));
		return companion.stored;
	}

	/** Tells every watch what it selects of `changes`; `onError` is told of one that threw, which ends it. */
	dispatch(changes: readonly ObjectChange[], onError: (error: unknown) => void): void {
		const revision = changes.at(-1)?.revision ?? 0;
		for (const watch of [...this.#watches]) {
			if (!this.#watches.has(watch)) continue;
			try {
				const notices = noticesOf(changes, watch.selected, watch.after);
				if (notices.length > 0) watch.notify(notices, revision);
			} catch (error) {
				onError(error);
				this.#watches.delete(watch);
				watch.ended(error instanceof Error ? error : new Error(String(error)));
			}
		}
		for (const wake of [...this.#wakers]) wake();
	}

	/** Ends every watch: the cache no longer follows the store. */
	fail(error: Error): void {
		for (const watch of [...this.#watches]) watch.ended(error);
		this.#watches.clear();
		for (const wake of [...this.#wakers]) wake();
	}
}
