import type { ReadLimits } from './read-limit.ts';

/**
 * The store: a log of changes to keys, after etcd's model. Everything above it sees only this contract,
 * so that memory, SQLite and etcd can stand behind it.
 *
 * 1. One revision for the whole store; it grows by one with each change. A change is a create, an
 *    update or a delete of one key.
 * 2. A write's promise resolves only once the change is on disk, and readers and watchers see it only
 *    then. When it resolves, every live watcher of its key has already been told.
 * 3. A watch from a revision tells every later change of its keys exactly once and in order.
 * 4. A revision that was compacted can be neither read nor watched from: {@link CompactedError}.
 * 5. Writes asked for in one turn of the event loop may share one commit; each still has its own
 *    outcome and its own revision, in the order in which they were asked for.
 * 6. Every call settles. A fault that passes, such as a full disk, refuses single calls with
 *    {@link StoreUnavailableError}, and the store works again when the fault is gone. After one that
 *    does not pass, `failure` resolves, every watch ends and every call is refused, all with the same
 *    {@link StoreFailedError}: the owner of the store stops the process.
 */

/** A point in the store's history. 0 is before the first change. */
export type Revision = number;

/** A key with its value, as of `revision`. */
export interface Entry {
	readonly key: string;
	readonly value: Uint8Array;
	/** The revision of the key's last change. */
	readonly revision: Revision;
	/** The revision at which the key was created. */
	readonly createRevision: Revision;
	/**
	 * What the writer handed in beside the bytes, for live watchers in the same process only (so the
	 * server need not decode its own writes again). Undefined whenever the entry was read from disk.
	 */
	readonly companion?: unknown;
}

/** One change. `previous` is the entry that it replaced or removed. */
export type Change =
	| {
			readonly type: 'put';
			readonly revision: Revision;
			readonly entry: Entry;
			readonly previous: Entry | undefined;
	  }
	| { readonly type: 'delete'; readonly revision: Revision; readonly key: string; readonly previous: Entry };

/** A write. `expected` is the revision of the key's last change: a compare-and-set. */
export type Write =
	| {
			readonly type: 'create';
			readonly key: string;
			readonly value: Uint8Array;
			readonly companion?: unknown;
	  }
	| {
			readonly type: 'update';
			readonly key: string;
			readonly value: Uint8Array;
			readonly expected: Revision;
			readonly companion?: unknown;
	  }
	| { readonly type: 'delete'; readonly key: string; readonly expected: Revision };

/** Which keys to read: those that start with `prefix`, in the order of their UTF-8 bytes. */
export interface RangeRequest extends ReadLimits {
	readonly prefix: string;
	/** Only keys after this one (where a page left off). */
	readonly after?: string;
	/** As of this revision; by default as of now. */
	readonly revision?: Revision;
}

/** The entries found, as of `revision`; `more` tells whether a limit cut them short. */
export interface RangeResult {
	readonly revision: Revision;
	readonly entries: readonly Entry[];
	readonly more: boolean;
}

/** Which changes to read: those after revision `after` of the keys that start with `prefix`. */
export interface ChangesRequest extends ReadLimits {
	readonly prefix: string;
	readonly after: Revision;
	/** At most so many, the oldest first. */
	readonly limit: number;
}

/**
 * The changes found, in order. There is no other one of these keys up to `revision`, which is the present or a
 * later revision than `after`: a store may find nothing in a piece of a history that is mostly of other keys.
 */
export interface ChangesResult {
	readonly revision: Revision;
	readonly changes: readonly Change[];
}

/** What a watch tells. The calls never overlap; a sink that throws ends its own watch only. */
export interface WatchSink {
	/** Changes in order, at least one. */
	changes(batch: readonly Change[]): void;
	/** The watch ended by itself, because of `error`; nothing follows. Not called after `stop()`. */
	ended(error: Error): void;
}

/** A watch under way. */
export interface WatchHandle {
	/** Ends the watch: nothing is told after this. May be called any number of times. */
	stop(): void;
}

/** A revisioned store of bytes by key. Owned by whoever opened it; `close` it once. */
export interface Store {
	/** The revision of the last change on disk. */
	readonly revision: Revision;
	/** Resolves with the reason once the store has failed for good; stays pending otherwise. */
	readonly failure: Promise<StoreFailedError>;
	/**
	 * Performs a write and resolves to its revision. Rejects with {@link KeyExistsError} (create of a
	 * key that is there), {@link RevisionMismatchError} (update or delete of a key that changed or is
	 * gone), or {@link StoreUnavailableError}; then nothing was changed.
	 */
	write(write: Write): Promise<Revision>;
	/** The entry at `key` now, or undefined. */
	get(key: string): Promise<Entry | undefined>;
	/** Reads keys by prefix. Rejects with {@link CompactedError} or {@link FutureRevisionError}. */
	range(request: RangeRequest): Promise<RangeResult>;
	/**
	 * Reads the history, a piece at a time: for a reader that sets its own pace. Ends at the present, without
	 * waiting for changes to come. Rejects with {@link CompactedError} or {@link FutureRevisionError}.
	 */
	changes(request: ChangesRequest): Promise<ChangesResult>;
	/**
	 * Tells every change after revision `after` of the keys that start with `prefix`: first what has
	 * happened already, then live. Throws {@link CompactedError} or {@link FutureRevisionError}.
	 */
	watch(request: { readonly prefix: string; readonly after: Revision }, sink: WatchSink): WatchHandle;
	/**
	 * Gives up the history before `revision`: what was replaced or deleted by then. The store uses the
	 * freed space again, and returns it to the disk when it is a large part of the whole.
	 */
	compact(revision: Revision): Promise<void>;
	/** Ends all watches, waits for the writes under way and closes the files. */
	close(): Promise<void>;
}

/** The key to create is there already. */
export class KeyExistsError extends Error {
	override readonly name = 'KeyExistsError';
	readonly key: string;
	constructor(key: string) {
		super(`key ${key} exists`);
		this.key = key;
	}
}

/** The key changed since the revision that the writer had seen (or is gone: `actual` undefined). */
export class RevisionMismatchError extends Error {
	override readonly name = 'RevisionMismatchError';
	readonly key: string;
	readonly actual: Revision | undefined;
	constructor(key: string, actual: Revision | undefined) {
		super(`key ${key} is at revision ${actual ?? 'none'}`);
		this.key = key;
		this.actual = actual;
	}
}

/** The revision asked for has been compacted; `oldest` is the oldest one that is left. */
export class CompactedError extends Error {
	override readonly name = 'CompactedError';
	readonly oldest: Revision;
	constructor(asked: Revision, oldest: Revision) {
		super(`revision ${asked} has been compacted, the oldest is ${oldest}`);
		this.oldest = oldest;
	}
}

/** The revision asked for has not happened yet. */
export class FutureRevisionError extends Error {
	override readonly name = 'FutureRevisionError';
	constructor(asked: Revision, current: Revision) {
		super(`revision ${asked} is in the future, the store is at ${current}`);
	}
}

/** The store cannot do this now (a full disk, say); trying again later may help. */
export class StoreUnavailableError extends Error {
	override readonly name: string = 'StoreUnavailableError';
}

/** The store can no longer be used; a process that opens it anew may be able to. */
export class StoreFailedError extends StoreUnavailableError {
	override readonly name: string = 'StoreFailedError';
}

/** Another process has the data open; it must end first. */
export class StoreLockedError extends Error {
	override readonly name = 'StoreLockedError';
}
