import type { ResourceDefinition } from '../api/meta/resource.ts';
import type { Change } from '../store/store.ts';
import { isWhole, type Selection, selects, singleObject } from './selection.ts';
import { ResourceCodec, StoredObject, WriteTicket, withRevision } from './stored-object.ts';

/** A change of one object: both given, an update; only `now`, it is new; only `before`, it is gone. */
export class ObjectChange {
	readonly revision: number;
	readonly before: StoredObject | undefined;
	readonly now: StoredObject | undefined;
	#gone: StoredObject | undefined;

	constructor(revision: number, before: StoredObject | undefined, now: StoredObject | undefined) {
		this.revision = revision;
		this.before = before;
		this.now = now;
	}

	/** What a watch is shown that the object has left: how it was before, as of this revision. */
	get gone(): StoredObject | undefined {
		this.#gone ??= this.before?.at(this.revision);
		return this.#gone;
	}
}

/** What a watch is told of an object. */
export interface ObjectNotice {
	readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
	readonly stored: StoredObject;
}

/** A live watch: told of the changes after revision `after` of what it selects. */
export interface LiveWatch {
	readonly selection: Selection;
	readonly after: number;
	/** Notices in order, at least one, and the revision that they reach. */
	notify(notices: readonly ObjectNotice[], revision: number): void;
	/** Nothing follows, because of `error`. */
	ended(error: Error): void;
}

/**
 * How many past changes a resource keeps at least, so that a watch which follows a list is live at once
 * even if something changed between the two. It holds on to as many replaced objects.
 */
const HISTORY_LENGTH = 200;

/** The live objects of one resource, and who watches them. Fed by the {@link ObjectCache} alone. */
export class ResourceCache {
	readonly codec: ResourceCodec;
	#changedAt = 0;
	/** The latest changes in order: all of those after revision `#historyStart`. */
	#history: ObjectChange[] = [];
	#historyStart = 0;
	readonly #objects = new Map<string, StoredObject>();
	readonly #watches = new Set<LiveWatch>();
	/** The keys in order; made when a list asks after one came or went. */
	#order: readonly string[] | undefined;

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

	/** The selected objects in the order of their keys, those after the key `after` only. */
	select(selection: Selection, after = ''): readonly StoredObject[] {
		const single = singleObject(selection, this.definition);
		if (single) return this.#selectOne(selection, this.codec.key(single.namespace, single.name), after);
		const prefix = this.codec.keyPrefixOf(selection.namespace);
		const order = this.#keys();
		const whole = isWhole(selection);
		const found: StoredObject[] = [];
		for (let i = firstFrom(order, after > prefix ? after : prefix); i < order.length; i++) {
			const key = order[i] ?? '';
			if (!key.startsWith(prefix)) break;
			const stored = this.#objects.get(key);
			if (!stored || key === after) continue;
			if (whole || selects(selection, this.definition, stored.object)) found.push(stored);
		}
		return found;
	}

	/** Has `watch` told of what changes from now on; call what is returned to end that. */
	subscribe(watch: LiveWatch): () => void {
		this.#watches.add(watch);
		return () => void this.#watches.delete(watch);
	}

	/** The changes after `revision`; undefined where memory does not reach so far back. */
	changesSince(revision: number): readonly ObjectChange[] | undefined {
		if (revision < this.#historyStart) return undefined;
		return this.#history.filter((change) => change.revision > revision);
	}

	/** Takes in an object that was there before the server started. */
	load(stored: StoredObject): void {
		this.#objects.set(stored.key, stored);
		this.#order = undefined;
	}

	/** Everything as of `revision` has been loaded. */
	loaded(revision: number): void {
		this.#changedAt = revision;
		this.#historyStart = revision;
	}

	/** Takes in a change; nobody is told yet. */
	apply(change: Change): ObjectChange {
		const key = change.type === 'put' ? change.entry.key : change.key;
		const before = this.#objects.get(key);
		const now = change.type === 'put' ? this.read(change) : undefined;
		if (now) this.#objects.set(key, now);
		else this.#objects.delete(key);
		if (!before || !now) this.#order = undefined;
		this.#changedAt = change.revision;
		return this.#remember(new ObjectChange(change.revision, before, now));
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
			const notices = noticesOf(changes, watch, this.definition);
			if (notices.length === 0 || !this.#watches.has(watch)) continue;
			try {
				watch.notify(notices, revision);
			} catch (error) {
				onError(error);
				this.#watches.delete(watch);
				watch.ended(error instanceof Error ? error : new Error(String(error)));
			}
		}
	}

	/** Ends every watch: the cache no longer follows the store. */
	fail(error: Error): void {
		for (const watch of [...this.#watches]) watch.ended(error);
		this.#watches.clear();
	}

	#remember(change: ObjectChange): ObjectChange {
		this.#history.push(change);
		if (this.#history.length >= 2 * HISTORY_LENGTH) {
			this.#historyStart = this.#history[HISTORY_LENGTH - 1]?.revision ?? 0;
			this.#history = this.#history.slice(HISTORY_LENGTH);
		}
		return change;
	}

	#selectOne(selection: Selection, key: string, after: string): readonly StoredObject[] {
		const stored = this.#objects.get(key);
		if (!stored || key <= after || !selects(selection, this.definition, stored.object)) return [];
		return [stored];
	}

	#keys(): readonly string[] {
		this.#order ??= [...this.#objects.keys()].sort();
		return this.#order;
	}
}

/** What the watch is told of `changes`: an object that it no longer selects is gone for it. */
export function noticesOf(
	changes: readonly ObjectChange[],
	{ selection, after }: Pick<LiveWatch, 'selection' | 'after'>,
	definition: ResourceDefinition,
): readonly ObjectNotice[] {
	const notices: ObjectNotice[] = [];
	for (const change of changes) {
		const { revision, before, now } = change;
		if (revision <= after) continue;
		const had = before !== undefined && selects(selection, definition, before.object);
		const has = now !== undefined && selects(selection, definition, now.object);
		if (has) notices.push({ type: had ? 'MODIFIED' : 'ADDED', stored: now });
		else if (had && change.gone) notices.push({ type: 'DELETED', stored: change.gone });
	}
	return notices;
}

/** The index of the first key that is not before `key`. */
function firstFrom(order: readonly string[], key: string): number {
	let low = 0;
	let high = order.length;
	while (low < high) {
		const middle = (low + high) >>> 1;
		if ((order[middle] ?? '') < key) low = middle + 1;
		else high = middle;
	}
	return low;
}
