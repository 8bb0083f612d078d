import type { WatchEvent } from '../api/contract/transport.ts';
import { isApiError } from '../api/errors/api-error.ts';
import type { KubeObject } from '../api/meta/object-meta.ts';
import { type Clock, sleep } from '../base/clock.ts';
import { type BackoffPolicy, backoffDelayMs } from '../base/queue/backoff.ts';
import type { Random } from '../base/random.ts';
import { nextTurn } from '../base/turn.ts';
import type { ListOptions, ResourceClient } from './client.ts';
import { followWatch } from './follow-watch.ts';
import { ObjectCopies } from './object-copies.ts';
import { type Indexes, ObjectIndexes } from './object-indexes.ts';
import { ShortWatchError } from './short-watch-error.ts';

/**
 * A local cache of a resource, kept up to date by list and watch, after client-go's shared informer.
 *
 * 1. During a watch the cache only moves forward: the resourceVersion of each object grows, and so does
 *    `revision`. A list replaces the contents, as Replace does in client-go, even by an earlier state: that of
 *    a server that was restored from a backup.
 * 2. Handlers are called in order, synchronously, after the cache and its indexes have changed.
 * 3. A writer can wait until the cache contains its write: {@link Informer.reached}. With the in-process
 *    transport the cache contains it when the write resolves. So controllers need no `expectations` as
 *    upstream's do, which count the writes that the cache does not show yet.
 * 4. A component that no longer needs an object can {@link Informer.release} it. The cache still returns the
 *    object, but decodes it again from the store of the server in this process.
 */
export class Informer<T extends KubeObject> {
	readonly #source: Pick<ResourceClient<T>, 'list' | 'watch'>;
	readonly #options: InformerOptions<T>;
	readonly #objects = new ObjectCopies<T>();
	readonly #indexes = new ObjectIndexes<T>();
	readonly #handlers: InformerHandler<T>[] = [];
	#revisionWaits: Array<{ readonly revision: number; readonly resolve: (shown: boolean) => void }> = [];
	readonly #deletionWaits = new Map<string, PromiseWithResolvers<boolean>>();
	#revision = 0;
	#ended = false;
	#failures = 0;
	readonly #synced = Promise.withResolvers<boolean>();

	constructor(source: Pick<ResourceClient<T>, 'list' | 'watch'>, options: InformerOptions<T>) {
		this.#source = source;
		this.#options = options;
		this.addIndexes(options.indexes ?? {});
	}

	/**
	 * Adds indexes, at any time: the objects in the cache are indexed at once. So each user of a shared informer
	 * can request its own, in any order. A name that another user has added must have the same function.
	 */
	addIndexes(indexes: Indexes<T>): void {
		this.#indexes.add(indexes, () => this.#objects.entries());
	}

	/** Resolves to true once the first list is in the cache, or to false if the informer stops before that. */
	get synced(): Promise<boolean> {
		return this.#synced.promise;
	}

	/** The revision of the server's state that the cache contains. Only a list can lower it. */
	get revision(): number {
		return this.#revision;
	}

	/**
	 * Calls `handler` at once for each object in the cache, and later for every change. The informer reports an
	 * error that a handler throws ({@link InformerOptions.onError}), and still calls the other handlers.
	 */
	subscribe(handler: InformerHandler<T>): void {
		this.#handlers.push(handler);
		for (const object of this.#objects.objects()) this.#notify(handler, object, undefined);
	}

	/**
	 * The object, or undefined if the cache has none of this name. `namespace` is empty for cluster-scoped
	 * objects.
	 */
	get(namespace: string, name: string): T | undefined {
		return this.#objects.get(keyOf(namespace, name));
	}

	/**
	 * All objects. Each released object is decoded when the caller reaches it, so a caller that may meet many
	 * uses {@link inTurns} instead.
	 */
	all(): IterableIterator<T> {
		return this.#objects.objects();
	}

	/** All objects, a hundred in each event loop turn, so that other work runs in between. */
	async *inTurns(): AsyncIterable<T> {
		let taken = 0;
		for (const object of this.#objects.objects()) {
			yield object;
			taken += 1;
			if (taken % OBJECTS_PER_TURN === 0) await nextTurn();
		}
	}

	/** The objects for which `matches` returns true; iterates like {@link inTurns}. */
	async select(matches: (object: T) => boolean): Promise<readonly T[]> {
		const found: T[] = [];
		for await (const object of this.inTurns()) if (matches(object)) found.push(object);
		return found;
	}

	/** Kind and metadata of the object that {@link get} returns, without decoding a released object. */
	metadataOf(namespace: string, name: string): KubeObject | undefined {
		return this.#objects.metadataOf(keyOf(namespace, name));
	}

	/** Kind and metadata of the objects that {@link indexed} returns, without decoding released objects. */
	indexedMetadata(name: string, value: string): readonly KubeObject[] {
		return this.#indexes.keys(name, value).flatMap((key) => this.#objects.metadataOf(key) ?? []);
	}

	/**
	 * Frees the memory of this version of the object, which no component is expected to read soon; that of a
	 * finished Job, for example. Reading it is still possible, but takes about 50 microseconds. Has an effect
	 * only with a server in this process.
	 */
	release(object: T): void {
		this.#objects.release(keyOfObject(object), object);
	}

	/** The objects that the index `name` (see {@link InformerOptions.indexes}) stores under `value`. */
	indexed(name: string, value: string): readonly T[] {
		return this.#indexes.keys(name, value).flatMap((key) => this.#objects.get(key) ?? []);
	}

	/**
	 * Resolves to true once the cache contains all changes up to `resourceVersion`, or to false if the informer
	 * stops before that. Also resolves to true when a list lowers the revision: the server may never reach the
	 * old revision again, and the cache contains all that the server has. It always resolves, so no caller needs
	 * to race it against another promise. (Each race would leave its reactions on a promise that lives as long
	 * as the server.)
	 */
	reached(resourceVersion: string | undefined): Promise<boolean> {
		const revision = Number(resourceVersion ?? 0);
		if (this.#revision >= revision) return Promise.resolve(true);
		if (this.#ended) return Promise.resolve(false);
		return new Promise((resolve) => this.#revisionWaits.push({ revision, resolve }));
	}

	/**
	 * Resolves to true once the cache no longer contains the object with this UID, or to false if the informer
	 * stops before that. For a caller that received NotFound for the object, a response without a revision
	 * for {@link reached}.
	 */
	left({ metadata: { namespace = '', name = '', uid = '' } }: T): Promise<boolean> {
		if (this.metadataOf(namespace, name)?.metadata.uid !== uid) return Promise.resolve(true);
		if (this.#ended) return Promise.resolve(false);
		const leaving = this.#deletionWaits.get(uid) ?? Promise.withResolvers<boolean>();
		this.#deletionWaits.set(uid, leaving);
		return leaving.promise;
	}

	/**
	 * Lists and watches until `signal` aborts. After an error it waits for a backoff and resumes at its
	 * revision.
	 */
	async run(signal: AbortSignal): Promise<void> {
		const end = (): void => this.#end();
		signal.addEventListener('abort', end, { once: true });
		try {
			await this.#follow(signal);
		} finally {
			signal.removeEventListener('abort', end);
			this.#end();
		}
	}

	async #follow(signal: AbortSignal): Promise<void> {
		let from = this.#options.from?.resourceVersion;
		for (const object of this.#options.from?.objects ?? []) this.#put(object);
		if (from !== undefined) this.#markSynced(from);
		while (!signal.aborted) {
			try {
				from ??= await this.#list(signal);
				if (from === undefined) return;
				await this.#watch(from, signal);
				from = String(this.#revision);
			} catch (error) {
				if (signal.aborted) return;
				if (isUnknownVersion(error)) from = undefined;
				else if (from !== undefined) from = String(this.#revision);
				this.#options.onError?.(error);
				this.#failures += 1;
				await sleep(this.#options.clock, backoffDelayMs(RETRY, this.#failures), signal);
			}
		}
	}

	/**
	 * Replaces the cache by a list; resolves to the list's resourceVersion, or to undefined if `signal` has
	 * aborted.
	 */
	async #list(signal: AbortSignal): Promise<string | undefined> {
		const { items, metadata } = await this.#source.list(this.#options.narrow ?? {}, { signal });
		// #end() has resolved the waits for changes to false, so the cache must not change any more.
		if (signal.aborted) return undefined;
		const listed = new Set(items.map(keyOfObject));
		for (const key of [...this.#objects.keys()]) if (!listed.has(key)) this.#remove(key);
		for (const object of items) this.#replace(object);
		this.#failures = 0;
		this.#lowerRevision(metadata.resourceVersion);
		this.#markSynced(metadata.resourceVersion);
		return metadata.resourceVersion;
	}

	#markSynced(resourceVersion: string): void {
		this.#advance(resourceVersion);
		this.#synced.resolve(true);
	}

	/**
	 * Follows one watch to its end. As client-go's reflector does, it asks the server to end the watch after a
	 * random time of five to ten minutes: the next watch repairs a connection that has failed unnoticed, and
	 * the clients do not all reconnect at once.
	 */
	async #watch(resourceVersion: string, signal: AbortSignal): Promise<void> {
		const { clock, narrow, random } = this.#options;
		const timeoutSeconds = Math.round(MIN_WATCH_SECONDS * (1 + (random?.next() ?? 0.5)));
		const startedAt = clock.monotonic();
		let hadEvents = false;
		await followWatch<T>({
			open: (sink, over) =>
				this.#source.watch({ ...narrow, resourceVersion, timeoutSeconds }, sink, { signal: over }),
			events: (batch) => {
				hadEvents = true;
				return this.#apply(batch);
			},
			signal,
		});
		// The error leads to a backoff. Without it, client and server would do nothing but open watches.
		if (!hadEvents && !signal.aborted && clock.monotonic() - startedAt < MIN_GOOD_WATCH_MS)
			throw new ShortWatchError();
	}

	#apply(batch: readonly WatchEvent<T>[]): undefined {
		this.#failures = 0;
		for (const { type, object } of batch) {
			if (type === 'DELETED') this.#remove(keyOfObject(object));
			else if (type !== 'BOOKMARK') this.#put(object);
			this.#advance(object.metadata.resourceVersion);
		}
	}

	/** Puts the object of an event into the cache, unless that has the same version or a later one. */
	#put(object: T): void {
		const known = this.#objects.metadataOf(keyOfObject(object));
		const { resourceVersion } = object.metadata;
		if (known && Number(known.metadata.resourceVersion) >= Number(resourceVersion)) return;
		this.#set(object);
	}

	/**
	 * Puts a listed object into the cache, unless that has the same version. An earlier one replaces it (rule
	 * 1).
	 */
	#replace(object: T): void {
		const known = this.#objects.metadataOf(keyOfObject(object))?.metadata;
		const { resourceVersion, uid } = object.metadata;
		if (known?.resourceVersion !== resourceVersion || known?.uid !== uid) this.#set(object);
	}

	#set(object: T): void {
		const key = keyOfObject(object);
		const old = this.#objects.get(key);
		this.#objects.set(key, object);
		this.#indexes.update(key, old, object);
		if (old && old.metadata.uid !== object.metadata.uid) this.#resolveDeletionWait(old);
		for (const handler of this.#handlers) this.#notify(handler, object, old);
	}

	#remove(key: string): void {
		const old = this.#objects.get(key);
		if (!old) return;
		this.#objects.delete(key);
		this.#indexes.update(key, old, undefined);
		this.#resolveDeletionWait(old);
		for (const handler of this.#handlers) this.#notify(handler, undefined, old);
	}

	#notify(handler: InformerHandler<T>, object: T | undefined, old: T | undefined): void {
		try {
			handler(object, old);
		} catch (error) {
			this.#options.onError?.(error);
		}
	}

	#resolveDeletionWait({ metadata: { uid = '' } }: T): void {
		this.#deletionWaits.get(uid)?.resolve(true);
		this.#deletionWaits.delete(uid);
	}

	/** Lowers the revision to that of a list, if that is lower, and resolves the waits for later revisions. */
	#lowerRevision(resourceVersion: string): void {
		const revision = Number(resourceVersion);
		if (revision >= this.#revision) return;
		this.#revision = revision;
		for (const { resolve } of this.#revisionWaits) resolve(true);
		this.#revisionWaits = [];
	}

	#advance(resourceVersion: string | undefined): void {
		this.#revision = Math.max(this.#revision, Number(resourceVersion ?? 0));
		if (this.#revisionWaits.length === 0) return;
		const reached = this.#revisionWaits.filter(({ revision }) => revision <= this.#revision);
		if (reached.length === 0) return;
		this.#revisionWaits = this.#revisionWaits.filter(({ revision }) => revision > this.#revision);
		for (const { resolve } of reached) resolve(true);
	}

	/** Resolves all waits to false, because the cache does not change any more. */
	#end(): void {
		this.#ended = true;
		this.#synced.resolve(false);
		for (const { resolve } of this.#revisionWaits) resolve(false);
		this.#revisionWaits = [];
		for (const { resolve } of this.#deletionWaits.values()) resolve(false);
		this.#deletionWaits.clear();
	}
}

/**
 * Called with a change. Both arguments are given for an update, only `object` for a new object, and only `old`
 * for a deleted one.
 */
export type InformerHandler<T> = (object: T | undefined, old: T | undefined) => void;

/** The dependencies and settings of an {@link Informer}. */
export interface InformerOptions<T> {
	readonly clock: Clock;
	/** Varies the duration of the watches, so that the informers of one server do not reconnect at once. */
	readonly random?: Random;
	/** Selectors that limit the cache to some objects; by default it contains all objects of the resource. */
	readonly narrow?: Pick<ListOptions, 'labelSelector' | 'fieldSelector'>;
	/**
	 * The known objects at a resourceVersion, from which the informer watches without a first list. For a
	 * caller that must not miss an object that is created and deleted before a list is answered.
	 */
	readonly from?: { readonly resourceVersion: string; readonly objects: readonly T[] };
	/** The first indexes; {@link Informer.addIndexes} adds more. */
	readonly indexes?: Indexes<T>;
	/** Called with the error of each failed list or watch, before the retry, and of each handler that throws. */
	readonly onError?: (error: unknown) => void;
}

/** Objects per event loop turn. Decoding this many takes 5 to 10 milliseconds. */
const OBJECTS_PER_TURN = 100;

const MIN_WATCH_SECONDS = 300;

/** A watch without events that ends earlier counts as failed, even if the server ends it without an error. */
const MIN_GOOD_WATCH_MS = 1000;

const RETRY: BackoffPolicy = { baseMs: 100, capMs: 30_000 };

/**
 * Whether the server cannot watch from a resourceVersion: because its history has been compacted, or because
 * the server was restored from a backup and has not reached that version yet. Both need a new list.
 */
function isUnknownVersion(error: unknown): boolean {
	if (isApiError(error, 'Expired') || isApiError(error, 'Gone')) return true;
	if (!isApiError(error, 'Timeout')) return false;
	return error.status.details?.causes?.some(({ reason }) => reason === 'ResourceVersionTooLarge') ?? false;
}

/** The key of an object in queues and caches: `namespace/name`, or `name` for a cluster-scoped object. */
export function keyOf(namespace: string, name: string): string {
	return namespace === '' ? name : `${namespace}/${name}`;
}

/** Splits a key of {@link keyOf}; the namespace of a cluster-scoped object is empty. */
export function splitKey(key: string): { readonly namespace: string; readonly name: string } {
	const slash = key.indexOf('/');
	return { namespace: key.slice(0, Math.max(slash, 0)), name: key.slice(slash + 1) };
}

/** The key of an object; see {@link keyOf}. */
export function keyOfObject({ metadata }: KubeObject): string {
	return keyOf(metadata.namespace ?? '', metadata.name ?? '');
}
