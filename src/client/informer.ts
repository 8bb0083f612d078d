import { isApiError } from '../api/meta/api-error.ts';
import type { KubeObject } from '../api/meta/object-meta.ts';
import type { WatchEvent } from '../api/meta/transport.ts';
import { type BackoffPolicy, backoffDelayMs } from '../base/backoff.ts';
import { type Clock, sleep } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import { nextTurn } from '../base/turn.ts';
import type { ListOptions, ResourceClient } from './client.ts';
import { followWatch } from './follow-watch.ts';
import { KeyIndex } from './key-index.ts';
import { ObjectCopies } from './object-copies.ts';
import { ShortWatchError } from './short-watch-error.ts';

/**
 * A local copy of a resource, kept up to date by list and watch, after client-go's shared informer.
 *
 * 1. During a watch the copy only moves forward: each object's resourceVersion grows, and so does `revision`.
 *    A list replaces the copy, as client-go's Replace does: also by an earlier state, that of a server which
 *    was restored from a backup.
 * 2. Handlers are called in order, synchronously, after the copy and its indexes have changed.
 * 3. Whoever wrote something can wait until the copy shows it: {@link Informer.reached}. With an
 *    in-process transport that is so already when the write resolves, so nobody needs to keep a tally
 *    of what it expects to see.
 * 4. A component that is done with an object can {@link Informer.release} it: the copy still shows it,
 *    and reads it again from the server in this process when some component asks.
 */
export class Informer<T extends KubeObject> {
	readonly #source: Pick<ResourceClient<T>, 'list' | 'watch'>;
	readonly #options: InformerOptions<T>;
	readonly #objects = new ObjectCopies<T>();
	readonly #indexes = new Map<string, KeyIndex>();
	readonly #handlers: InformerHandler<T>[] = [];
	#waiting: Array<{ readonly revision: number; readonly resolve: (shown: boolean) => void }> = [];
	readonly #leaving = new Map<string, PromiseWithResolvers<boolean>>();
	#revision = 0;
	#ended = false;
	#failures = 0;
	readonly #synced = Promise.withResolvers<boolean>();

	constructor(source: Pick<ResourceClient<T>, 'list' | 'watch'>, options: InformerOptions<T>) {
		this.#source = source;
		this.#options = options;
		for (const name of Object.keys(options.indexes ?? {})) this.#indexes.set(name, new KeyIndex());
	}

	/** Resolves to true once the first list is in, or to false once the informer has been stopped before. */
	get synced(): Promise<boolean> {
		return this.#synced.promise;
	}

	/** The latest revision the copy is known to show. Only a list can set it back. */
	get revision(): number {
		return this.#revision;
	}

	/**
	 * Calls `handler` for every change from now on, and at once for each object that is there. A handler that
	 * throws is reported ({@link InformerOptions.onError}); the others hear of the change all the same.
	 */
	subscribe(handler: InformerHandler<T>): void {
		this.#handlers.push(handler);
		for (const object of this.#objects.objects()) this.#call(handler, object, undefined);
	}

	/** The object, or undefined; `namespace` is empty for what has none. */
	get(namespace: string, name: string): T | undefined {
		return this.#objects.get(keyOf(namespace, name));
	}

	/**
	 * Every object. Those that were released are decoded as the caller takes them, so a caller that does not
	 * know that there are few takes them by {@link inTurns}.
	 */
	all(): IterableIterator<T> {
		return this.#objects.objects();
	}

	/** Every object, some hundred in each turn of the event loop: other work is done in between. */
	async *inTurns(): AsyncIterable<T> {
		let taken = 0;
		for (const object of this.#objects.objects()) {
			yield object;
			taken += 1;
			if (taken % TURN_LENGTH === 0) await nextTurn();
		}
	}

	/** The objects that match, looked for {@link inTurns}. */
	async select(matches: (object: T) => boolean): Promise<readonly T[]> {
		const found: T[] = [];
		for await (const object of this.inTurns()) if (matches(object)) found.push(object);
		return found;
	}

	/** What {@link get} gives, as far as kind and metadata go: costs nothing where the object was released. */
	metadataOf(namespace: string, name: string): KubeObject | undefined {
		return this.#objects.metadataOf(keyOf(namespace, name));
	}

	/** What {@link indexed} gives, as far as kind and metadata go. */
	indexedMetadata(name: string, value: string): readonly KubeObject[] {
		const keys = this.#indexes.get(name)?.keys(value) ?? [];
		return [...keys].flatMap((key) => this.#objects.metadataOf(key) ?? []);
	}

	/**
	 * Says that this version of the object is not expected to be asked for soon: that of a finished Job,
	 * say. Has an effect only with a server in this process. Reading the object is as before, but takes
	 * longer, some 50 microseconds.
	 */
	release(object: T): void {
		this.#objects.release(keyOfObject(object), object);
	}

	/** The objects that the index `name` (see {@link InformerOptions.indexes}) files under `value`. */
	indexed(name: string, value: string): readonly T[] {
		const keys = this.#indexes.get(name)?.keys(value) ?? [];
		return [...keys].flatMap((key) => this.#objects.get(key) ?? []);
	}

	/**
	 * Resolves to true once the copy shows everything up to `resourceVersion`, or to false once the
	 * informer has been stopped. A list that sets the copy back settles it to true: the server may never reach
	 * that revision again, and the copy shows all that the server has. It always settles, so nothing needs to race it against another promise
	 * (each race would leave its reactions on a promise that lives as long as the server).
	 */
	reached(resourceVersion: string | undefined): Promise<boolean> {
		const revision = Number(resourceVersion ?? 0);
		if (this.#revision >= revision) return Promise.resolve(true);
		if (this.#ended) return Promise.resolve(false);
		return new Promise((resolve) => this.#waiting.push({ revision, resolve }));
	}

	/**
	 * Resolves to true once the copy no longer shows this very object (a namesake is another one), or to
	 * false once the informer has been stopped. For a caller who was told that the object is gone, which
	 * comes without a revision to wait for.
	 */
	left({ metadata: { namespace = '', name = '', uid = '' } }: T): Promise<boolean> {
		if (this.metadataOf(namespace, name)?.metadata.uid !== uid) return Promise.resolve(true);
		if (this.#ended) return Promise.resolve(false);
		const leaving = this.#leaving.get(uid) ?? Promise.withResolvers<boolean>();
		this.#leaving.set(uid, leaving);
		return leaving.promise;
	}

	/** Lists and watches until `signal` aborts; after an error it waits and goes on from where it was. */
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
		if (from !== undefined) this.#begin(from);
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

	/** Replaces the copy by what the server lists; resolves to the list's version, or to undefined if stopped. */
	async #list(signal: AbortSignal): Promise<string | undefined> {
		const { items, metadata } = await this.#source.list(this.#options.narrow ?? {}, { signal });
		// What waited for the copy has been told that it moves no more.
		if (signal.aborted) return undefined;
		const listed = new Set(items.map(keyOfObject));
		for (const key of [...this.#objects.keys()]) if (!listed.has(key)) this.#remove(key);
		for (const object of items) this.#replace(object);
		this.#failures = 0;
		this.#setBack(metadata.resourceVersion);
		this.#begin(metadata.resourceVersion);
		return metadata.resourceVersion;
	}

	#begin(resourceVersion: string): void {
		this.#advance(resourceVersion);
		this.#synced.resolve(true);
	}

	/**
	 * Follows one watch to its end. As in client-go it is asked to end by itself after five to ten minutes, at
	 * a time that is drawn: what went wrong with it unseen is mended then, and not by all clients at once.
	 */
	async #watch(resourceVersion: string, signal: AbortSignal): Promise<void> {
		const { clock, narrow, random } = this.#options;
		const timeoutSeconds = Math.round(SHORTEST_WATCH_SECONDS * (1 + (random?.next() ?? 0.5)));
		const began = clock.monotonic();
		let heard = false;
		await followWatch<T>({
			open: (sink, over) =>
				this.#source.watch({ ...narrow, resourceVersion, timeoutSeconds }, sink, { signal: over }),
			events: (batch) => {
				heard = true;
				return this.#apply(batch);
			},
			signal,
		});
		// To open the next one at once would keep both sides busy with nothing else.
		if (!heard && !signal.aborted && clock.monotonic() - began < SHORTEST_GOOD_WATCH_MS)
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

	/** Takes `object` unless the copy shows the same version or a later one. */
	#put(object: T): void {
		const known = this.#objects.metadataOf(keyOfObject(object));
		const { resourceVersion } = object.metadata;
		if (known && Number(known.metadata.resourceVersion) >= Number(resourceVersion)) return;
		this.#set(object);
	}

	/** Takes `object`, which was listed, unless the copy shows this very version. */
	#replace(object: T): void {
		const known = this.#objects.metadataOf(keyOfObject(object))?.metadata;
		const { resourceVersion, uid } = object.metadata;
		if (known?.resourceVersion !== resourceVersion || known?.uid !== uid) this.#set(object);
	}

	#set(object: T): void {
		const key = keyOfObject(object);
		const old = this.#objects.get(key);
		this.#objects.set(key, object);
		this.#file(key, old, object);
		if (old && old.metadata.uid !== object.metadata.uid) this.#leave(old);
		for (const handler of this.#handlers) this.#call(handler, object, old);
	}

	#remove(key: string): void {
		const old = this.#objects.get(key);
		if (!old) return;
		this.#objects.delete(key);
		this.#file(key, old, undefined);
		this.#leave(old);
		for (const handler of this.#handlers) this.#call(handler, undefined, old);
	}

	#call(handler: InformerHandler<T>, object: T | undefined, old: T | undefined): void {
		try {
			handler(object, old);
		} catch (error) {
			this.#options.onError?.(error);
		}
	}

	#leave({ metadata: { uid = '' } }: T): void {
		this.#leaving.get(uid)?.resolve(true);
		this.#leaving.delete(uid);
	}

	/** Files the object under its new values; an update that changes none of them costs no look-up. */
	#file(key: string, old: T | undefined, object: T | undefined): void {
		for (const [name, valuesOf] of Object.entries(this.#options.indexes ?? {})) {
			const index = this.#indexes.get(name);
			const before = old ? valuesOf(old) : [];
			const now = object ? valuesOf(object) : [];
			for (const value of before) if (!now.includes(value)) index?.remove(value, key);
			for (const value of now) if (!before.includes(value)) index?.add(value, key);
		}
	}

	/** Lowers the revision to that of a list, if it is higher, and settles what waits for a later one. */
	#setBack(resourceVersion: string): void {
		const revision = Number(resourceVersion);
		if (revision >= this.#revision) return;
		this.#revision = revision;
		for (const { resolve } of this.#waiting) resolve(true);
		this.#waiting = [];
	}

	#advance(resourceVersion: string | undefined): void {
		this.#revision = Math.max(this.#revision, Number(resourceVersion ?? 0));
		if (this.#waiting.length === 0) return;
		const reached = this.#waiting.filter(({ revision }) => revision <= this.#revision);
		if (reached.length === 0) return;
		this.#waiting = this.#waiting.filter(({ revision }) => revision > this.#revision);
		for (const { resolve } of reached) resolve(true);
	}

	/** Settles what waits for the copy to move: it no longer does. */
	#end(): void {
		this.#ended = true;
		this.#synced.resolve(false);
		for (const { resolve } of this.#waiting) resolve(false);
		this.#waiting = [];
		for (const { resolve } of this.#leaving.values()) resolve(false);
		this.#leaving.clear();
	}
}

/** Told of a change: both given, an update; only `object`, it is new to us; only `old`, it is gone. */
export type InformerHandler<T> = (object: T | undefined, old: T | undefined) => void;

/** What an {@link Informer} keeps and how. */
export interface InformerOptions<T> {
	readonly clock: Clock;
	/** Spreads the ends of its watches over time, where many informers watch one server. */
	readonly random?: Random;
	/** Which objects; by default all of the resource. */
	readonly narrow?: Pick<ListOptions, 'labelSelector' | 'fieldSelector'>;
	/**
	 * What is there at a certain version, to watch on from without a list first: for whoever knows, and
	 * must not miss what would come and go before a list is answered.
	 */
	readonly from?: { readonly resourceVersion: string; readonly objects: readonly T[] };
	/** Ways to look objects up: a name and the values under which an object is filed. */
	readonly indexes?: Readonly<Record<string, (object: T) => readonly string[]>>;
	/** Told of each failed list or watch before it is tried again, and of each handler that threw. */
	readonly onError?: (error: unknown) => void;
}

/** Decoding so many objects takes 5 to 10 milliseconds. */
const TURN_LENGTH = 100;

const SHORTEST_WATCH_SECONDS = 300;

/** A watch that ends earlier has failed, whatever the server says. */
const SHORTEST_GOOD_WATCH_MS = 1000;

const RETRY: BackoffPolicy = { baseMs: 100, capMs: 30_000 };

/** Whether the server cannot watch from that version: it has forgotten it, or was restored and has yet to reach it. */
function isUnknownVersion(error: unknown): boolean {
	if (isApiError(error, 'Expired') || isApiError(error, 'Gone')) return true;
	if (!isApiError(error, 'Timeout')) return false;
	return error.status.details?.causes?.some(({ reason }) => reason === 'ResourceVersionTooLarge') ?? false;
}

/** The key under which queues and caches know an object: `namespace/name`, or `name` alone. */
export function keyOf(namespace: string, name: string): string {
	return namespace === '' ? name : `${namespace}/${name}`;
}

/** Splits what {@link keyOf} made. */
export function splitKey(key: string): { readonly namespace: string; readonly name: string } {
	const slash = key.indexOf('/');
	return { namespace: key.slice(0, Math.max(slash, 0)), name: key.slice(slash + 1) };
}

function keyOfObject(object: KubeObject): string {
	return keyOf(object.metadata.namespace ?? '', object.metadata.name ?? '');
}
