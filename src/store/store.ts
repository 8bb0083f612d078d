/**
 * The contract of the store: a log of changes to keys, modelled on etcd. All other layers use only this
 * contract, so that memory, SQLite and etcd can implement it.
 *
 * The store knows bytes by key, and nothing of API objects: encoding them is the API server's job. Reading
 * order: this file, change.ts, watch-hub.ts (watches of every implementation), memory/memory-store.ts (the
 * contract in its simplest form), sqlite/sqlite-store.ts. contract-suite.ts tests every implementation.
 *
 * 1. The store has one revision, incremented by one for each change. A change is a create, an update or a
 *    delete of one key.
 * 2. The promise of a write resolves only once the change is on disk, and readers and watchers see the change
 *    only then. Before it resolves, every live watcher of the key has been notified.
 * 3. A watch from a revision delivers every later change of its keys exactly once and in order.
 * 4. A compacted revision can be neither read nor watched from: {@link CompactedError}.
 * 5. Writes requested in the same event loop turn may share one commit (group commit). Each still has its own
 *    outcome and its own revision, in the order of the requests.
 * 6. Every call settles. A temporary fault, such as a full disk, refuses single calls with
 *    {@link StoreUnavailableError}, and the store works again once the fault is gone. After a permanent one,
 *    `failure` resolves, every watch ends and every call is refused, all with the same
 *    {@link StoreFailedError}: the owner of the store must stop the process.
 */

import type { ReadLimits } from './read-limit.ts';

/** The number of a change in the store's history. 0 is before the first change. */
export type Revision = number;

/** A key and its value at a revision. */
export interface Entry {
	readonly key: string;
	readonly value: Uint8Array;
	/** The revision of the key's last change. */
	readonly revision: Revision;
	/** The revision at which the key was created. */
	readonly createRevision: Revision;
	/**
	 * An object that the writer attached to the bytes, for live watchers in the same process only: so the
	 * server need not decode its own writes again. Undefined in every entry that is read from the store.
	 */
	readonly attachment?: unknown;
}

/**
 * One change. `previous` is the entry that it replaced or deleted. Its value may be read from the store when it is asked
 * for: a receiver that keeps the change for longer than its call reads the value before the revision is compacted.
 */
export type Change =
	| {
			readonly type: 'put';
			readonly revision: Revision;
			readonly entry: Entry;
			readonly previous: Entry | undefined;
	  }
	| { readonly type: 'delete'; readonly revision: Revision; readonly key: string; readonly previous: Entry };

/** A compare-and-set write: it is refused unless `expected` is the revision of the key's last change. */
export type Write =
	| {
			readonly type: 'create';
			readonly key: string;
			readonly value: Uint8Array;
			readonly attachment?: unknown;
	  }
	| {
			readonly type: 'update';
			readonly key: string;
			readonly value: Uint8Array;
			readonly expected: Revision;
			readonly attachment?: unknown;
	  }
	| { readonly type: 'delete'; readonly key: string; readonly expected: Revision };

/** A read of the keys that start with `prefix`, in the order of their UTF-8 bytes. */
export interface RangeRequest extends ReadLimits {
	readonly prefix: string;
	/** Only keys after this one, the last of the previous page. */
	readonly after?: string;
	/** The revision to read at. Default: the current one. */
	readonly revision?: Revision;
}

/** The entries at `revision`. `more` is true if a limit ended the read before the last key. */
export interface RangeResult {
	readonly revision: Revision;
	readonly entries: readonly Entry[];
	readonly more: boolean;
}

/** A read of the changes after revision `after` to keys that start with `prefix`. */
export interface ChangesRequest extends ReadLimits {
	readonly prefix: string;
	readonly after: Revision;
	/** Maximum number of changes, the oldest first. */
	readonly limit: number;
}

/**
 * The changes found, in order. They are all changes of these keys up to `revision`, which is greater than
 * `after` unless that is the current revision. There may be none: a store limits how many changes of other
 * keys one read scans.
 */
export interface ChangesResult {
	readonly revision: Revision;
	readonly changes: readonly Change[];
}

/** The receiver of a watch. The store's calls of it never overlap. If it throws, only its own watch ends. */
export interface WatchSink {
	/** Receives one or more changes, in order. */
	changes(batch: readonly Change[]): void;
	/** The store ended the watch because of `error`. The last call; never made after `stop()`. */
	ended(error: Error): void;
}

/** An active watch. */
export interface WatchHandle {
	/** Stops the watch: the sink receives nothing afterwards. May be called any number of times. */
	stop(): void;
}

/** A revisioned store of bytes by key. The component that opened it owns it and closes it. */
export interface Store {
	/** The revision of the last change on disk. */
	readonly revision: Revision;
	/** Resolves to the reason once the store has failed permanently; stays pending otherwise. */
	readonly failure: Promise<StoreFailedError>;
	/**
	 * Performs a write and resolves to its revision. Rejects with {@link KeyExistsError} (create of an existing
	 * key), {@link RevisionMismatchError} (update or delete of a key that has changed or does not exist) or
	 * {@link StoreUnavailableError}; then nothing has changed.
	 */
	write(write: Write): Promise<Revision>;
	/** Resolves to the current entry at `key`; undefined if the key does not exist. */
	get(key: string): Promise<Entry | undefined>;
	/** Reads keys by prefix. Rejects with {@link CompactedError} or {@link FutureRevisionError}. */
	range(request: RangeRequest): Promise<RangeResult>;
	/**
	 * Reads a part of the history, for a reader that sets its own pace. It ends at the current revision and
	 * does not wait for future changes. Rejects with {@link CompactedError} or {@link FutureRevisionError}.
	 */
	changes(request: ChangesRequest): Promise<ChangesResult>;
	/**
	 * Delivers every change after revision `after` to keys that start with `prefix`: first those in the
	 * history, then live ones. Throws {@link CompactedError} or {@link FutureRevisionError}.
	 */
	watch(request: { readonly prefix: string; readonly after: Revision }, sink: WatchSink): WatchHandle;
	/**
	 * Compacts the history before `revision`: removes all versions that were replaced or deleted by then. The
	 * store reuses the freed space, and returns it to the file system if it is a large part of the file.
	 */
	compact(revision: Revision): Promise<void>;
	/** Waits for pending writes, ends all watches and closes the files. May be called more than once. */
	close(): Promise<void>;
}

/** The key to create exists. */
export class KeyExistsError extends Error {
	override readonly name = 'KeyExistsError';
	readonly key: string;
	constructor(key: string) {
		super(`key ${key} exists`);
		this.key = key;
	}
}

/**
 * The key's last change is `actual`, not the revision that the writer expected. Undefined: the key does not
 * exist.
 */
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

/** The requested revision has been compacted. `oldest` is the oldest that can still be read. */
export class CompactedError extends Error {
	override readonly name = 'CompactedError';
	readonly oldest: Revision;
	constructor(asked: Revision, oldest: Revision) {
		super(`revision ${asked} has been compacted, the oldest is ${oldest}`);
		this.oldest = oldest;
	}
}

/** The requested revision is greater than the current one. */
export class FutureRevisionError extends Error {
	override readonly name = 'FutureRevisionError';
	constructor(asked: Revision, current: Revision) {
		super(`revision ${asked} is in the future, the store is at ${current}`);
	}
}

/**
 * The store cannot perform the call now, for example because the disk is full. The caller may retry later.
 */
export class StoreUnavailableError extends Error {
	override readonly name: string = 'StoreUnavailableError';
}

/** The store has failed permanently. Only opening it again, in a new process, can help. */
export class StoreFailedError extends StoreUnavailableError {
	override readonly name: string = 'StoreFailedError';
}

/** Another process has the data open, and must exit first. */
export class StoreLockedError extends Error {
	override readonly name = 'StoreLockedError';
}
