import { chmodSync, closeSync, constants, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { messageOf } from '../../base/message-of.ts';
import { nextTurn } from '../../base/turn.ts';
import { changeOf } from '../change.ts';
import {
	type Change,
	type ChangesRequest,
	type ChangesResult,
	CompactedError,
	type Entry,
	FutureRevisionError,
	KeyExistsError,
	type RangeRequest,
	type RangeResult,
	type Revision,
	RevisionMismatchError,
	type Store,
	StoreFailedError,
	StoreLockedError,
	StoreUnavailableError,
	type WatchHandle,
	type WatchSink,
	type Write,
} from '../store.ts';
import { type ChangeLog, readChanges, WatchHub } from '../watch-hub.ts';
import { LogTable } from './log-table.ts';
import { RevisionMark } from './revision-mark.ts';
import { prepareTables } from './schema.ts';
import { enableShrinking, pagesToReturn, shrinkStep } from './space.ts';
import { inTransaction, isBusy, isFatal, isSqliteError } from './transaction.ts';

/** Options of {@link openSqliteStore}. */
export interface SqliteStoreOptions {
	/**
	 * The database file. Created with mode 0600 if it does not exist. SQLite and the mark add files named
	 * `<path>-…`.
	 */
	readonly path: string;
	/** Called with a sentence if the file has lost acknowledged writes; see revision-mark.ts. */
	readonly onWarning?: (message: string) => void;
	/** Maximum size of the file in pages of 4 KiB; for tests of a full disk. */
	readonly maxPages?: number;
	/** Opens the database; for tests that inject faults. */
	readonly openDatabase?: (path: string) => DatabaseSync;
}

/**
 * Opens the store at `path`. Rejects with StoreLockedError while another process has it open (the kernel
 * releases the lock when that process ends, in any way), with StoreFailedError for a damaged file, and with
 * StoreUnavailableError for a file that it cannot read.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
	const { path, openDatabase = open } = options;
	let database: DatabaseSync | undefined;
	try {
		closeSync(openSync(path, constants.O_CREAT | constants.O_RDWR | constants.O_NOFOLLOW, 0o600));
		chmodSync(path, 0o600);
		database = openDatabase(path);
		prepare(database, options);
		return new SqliteStore(database, options);
	} catch (error) {
		database?.close();
		throw openingError(error, path);
	}
}

function open(path: string): DatabaseSync {
	return new DatabaseSync(path, { timeout: 0 });
}

/**
 * SQLite truncates the WAL to this size after a checkpoint; between two checkpoints it grows to about as much
 * anyway.
 */
const WAL_BYTES = 4 * 1024 * 1024;

function prepare(database: DatabaseSync, { maxPages }: SqliteStoreOptions): void {
	// In exclusive mode the first statement locks the file until it is closed, so that a second server on the
	// same data fails to start.
	database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA auto_vacuum = INCREMENTAL');
	database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
	database.exec(`PRAGMA journal_size_limit = ${WAL_BYTES}`);
	database.exec('PRAGMA cache_size = -4096; BEGIN IMMEDIATE; COMMIT');
	if (maxPages !== undefined) database.exec(`PRAGMA max_page_count = ${Math.trunc(maxPages)}`);
	prepareTables(database);
	enableShrinking(database);
}

function openingError(error: unknown, path: string): unknown {
	if (isBusy(error)) return new StoreLockedError(`${path} is in use by another process`);
	if (isFatal(error)) return new StoreFailedError(damaged(path, error), { cause: error });
	return error instanceof StoreUnavailableError
		? error
		: new StoreUnavailableError(`${path}: ${String(error)}`, { cause: error });
}

/** The message for the operator of a database that cannot be read: the file, the reason and what to do. */
function damaged(path: string, error: unknown): string {
	const reason = messageOf(error);
	return `${path} is damaged (${reason}): restore the data folder from a backup, or move this file away to start without stored objects`;
}

/** Number of revisions that one transaction compacts: few enough that requests notice no delay. */
const COMPACTION_STEP = 200;

/**
 * Maximum bytes of values in one transaction, or one larger write: about 10 ms of work. Further writes are
 * committed in the next event loop turn, so that other work runs in between.
 */
const GROUP_BYTES = 2 * 1024 * 1024;

/** A write that waits for its commit, with the functions that settle its promise. */
interface PendingWrite {
	readonly write: Write;
	readonly resolve: (revision: Revision) => void;
	readonly reject: (error: unknown) => void;
}

/** The activity in which the database reported an error. */
type Activity = 'write' | 'read' | 'compaction';

const FAULTS: Readonly<Record<Activity, string>> = {
	write: 'the write could not be committed to disk',
	read: 'the store could not be read',
	compaction: 'the compaction could not be committed to disk',
};

/**
 * The store on SQLite. All writes requested in one event loop turn are committed together, with one sync of
 * the disk (group commit). A commit blocks the main thread: at about 0.2 ms for a sync, that costs less than
 * passing the rows to a worker thread would.
 *
 * 1. A full disk or an I/O error refuses only the calls that it affects.
 * 2. A damaged file, or a transaction that can be neither committed nor rolled back, fails the store
 *    permanently.
 * 3. Sinks are notified after the commit and before the promises of its writes resolve.
 */
class SqliteStore implements Store {
	readonly #path: string;
	readonly #database: DatabaseSync;
	readonly #log: LogTable;
	readonly #mark: RevisionMark;
	readonly #history: ChangeLog;
	readonly #hub: WatchHub;
	readonly #failed = Promise.withResolvers<StoreFailedError>();
	#pending: PendingWrite[] = [];
	#revision: Revision;
	#compacted: Revision;
	#failure: StoreFailedError | undefined;
	#closed: Promise<void> | undefined;

	/** Takes ownership of an open database with prepared tables, and closes it in {@link close}. */
	constructor(database: DatabaseSync, { path, onWarning }: SqliteStoreOptions) {
		this.#path = path;
		this.#database = database;
		this.#log = new LogTable(database);
		this.#mark = new RevisionMark(path);
		try {
			this.#skipLostRevisions(onWarning);
			this.#revision = this.#log.lastRevision();
			this.#compacted = this.#log.compacted();
		} catch (error) {
			// The caller closes the database only.
			this.#mark.close();
			throw error;
		}
		const revision = (): Revision => this.#revision;
		const compacted = (): Revision => this.#compacted;
		this.#history = {
			get revision() {
				return revision();
			},
			get compacted() {
				return compacted();
			},
			changes: (request) => {
				const found = this.#attempt('read', () => this.#log.changes(request));
				return { ...found, revision: Math.min(found.revision, this.#revision) };
			},
		};
		this.#hub = new WatchHub(this.#history, setImmediate);
	}

	get revision(): Revision {
		return this.#revision;
	}

	get failure(): Promise<StoreFailedError> {
		return this.#failed.promise;
	}

	write(write: Write): Promise<Revision> {
		const refusal = this.#refusal();
		if (refusal) return Promise.reject(refusal);
		return new Promise((resolve, reject) => {
			if (this.#pending.length === 0) setImmediate(() => this.#commit());
			this.#pending.push({ write, resolve, reject });
		});
	}

	async get(key: string): Promise<Entry | undefined> {
		this.#assertUsable();
		return this.#attempt('read', () => this.#log.latest(key));
	}

	async range(request: RangeRequest): Promise<RangeResult> {
		this.#assertUsable();
		const { revision = this.#revision } = request;
		if (revision < this.#compacted) throw new CompactedError(revision, this.#compacted);
		if (revision > this.#revision) throw new FutureRevisionError(revision, this.#revision);
		return { revision, ...this.#attempt('read', () => this.#log.range(request, revision)) };
	}

	async changes(request: ChangesRequest): Promise<ChangesResult> {
		this.#assertUsable();
		return readChanges(this.#history, request);
	}

	watch(request: { readonly prefix: string; readonly after: Revision }, sink: WatchSink): WatchHandle {
		return this.#hub.open(request, sink);
	}

	async compact(revision: Revision): Promise<void> {
		this.#assertUsable();
		if (revision > this.#revision) throw new FutureRevisionError(revision, this.#revision);
		while (this.#compacted < revision) {
			const to = Math.min(this.#compacted + COMPACTION_STEP, revision);
			this.#attempt('compaction', () =>
				inTransaction(this.#database, () => this.#log.compact(this.#compacted, to)),
			);
			this.#compacted = to;
			await nextTurn();
			if (this.#refusal()) return;
		}
		await this.#shrink();
	}

	/** Returns free pages to the file system while there are many, a few in each event loop turn. */
	async #shrink(): Promise<void> {
		while (this.#attempt('read', () => pagesToReturn(this.#database)) > 0) {
			this.#attempt('compaction', () => shrinkStep(this.#database));
			await nextTurn();
			if (this.#refusal()) return;
		}
	}

	close(): Promise<void> {
		this.#closed ??= this.#close();
		return this.#closed;
	}

	async #close(): Promise<void> {
		// The commit of pending writes was scheduled before this turn. Always in a later turn, since a sink may
		// call close() while it receives changes, and calls of sinks must not overlap.
		do await nextTurn();
		while (this.#pending.length > 0);
		this.#hub.close(closedError());
		this.#mark.close();
		this.#database.close();
	}

	/**
	 * A file older than its mark has lost acknowledged writes. The lost revisions are not assigned again: a
	 * client that has seen them would take other changes for them. They count as compacted, so that such a
	 * client gets a 410 and lists again (as etcd's restore with --mark-compacted).
	 */
	#skipLostRevisions(onWarning: SqliteStoreOptions['onWarning']): void {
		const last = this.#log.lastRevision();
		const marked = this.#mark.read() ?? 0;
		if (marked <= last) return;
		inTransaction(this.#database, () => {
			this.#log.compact(this.#log.compacted(), last);
			this.#log.setCompacted(marked);
		});
		const lost = last + 1 === marked ? `revision ${marked}` : `revisions ${last + 1} to ${marked}`;
		onWarning?.(
			`${this.#path} has lost acknowledged writes: ${lost}. It was restored from an older copy, or its -wal file was truncated or removed`,
		);
	}

	#refusal(): StoreUnavailableError | undefined {
		return this.#closed ? closedError() : this.#failure;
	}

	#assertUsable(): void {
		const refusal = this.#refusal();
		if (refusal) throw refusal;
	}

	/**
	 * Removes the writes of the next transaction from the queue, and schedules the commit of the others in the
	 * next turn.
	 */
	#takeGroup(): readonly PendingWrite[] {
		let bytes = 0;
		let count = 0;
		for (const { write } of this.#pending) {
			bytes += write.type === 'delete' ? 0 : write.value.length;
			if (count > 0 && bytes > GROUP_BYTES) break;
			count += 1;
		}
		const group = this.#pending.slice(0, count);
		this.#pending = this.#pending.slice(count);
		if (this.#pending.length > 0) setImmediate(() => this.#commit());
		return group;
	}

	/** Commits a group of pending writes in one transaction, each with its own outcome. Never throws. */
	#commit(): void {
		const group = this.#takeGroup();
		const done: Array<{ readonly pending: PendingWrite; readonly change: Change }> = [];
		const refused: Array<{ readonly pending: PendingWrite; readonly error: Error }> = [];
		try {
			this.#attempt('write', () =>
				inTransaction(this.#database, () => {
					for (const pending of group) {
						const outcome = this.#perform(pending.write, this.#revision + done.length + 1);
						if (outcome instanceof Error) refused.push({ pending, error: outcome });
						else done.push({ pending, change: outcome });
					}
				}),
			);
		} catch (error) {
			// Nothing of the group is on disk, so every write in it is rejected.
			for (const { reject } of group) reject(error);
			return;
		}
		this.#revision += done.length;
		this.#mark.write(this.#revision);
		if (done.length > 0) this.#hub.publish(done.map(({ change }) => change));
		for (const { pending, change } of done) pending.resolve(change.revision);
		for (const { pending, error } of refused) pending.reject(error);
	}

	/** Performs one write within the transaction. Returns the change, or the error that refuses the write. */
	#perform(write: Write, revision: Revision): Change | Error {
		const previous = this.#log.latestHead(write.key);
		if (write.type === 'create' && previous) return new KeyExistsError(write.key);
		if (write.type !== 'create' && previous?.revision !== write.expected) {
			return new RevisionMismatchError(write.key, previous?.revision);
		}
		const change = changeOf(write, revision, previous);
		this.#log.append(change);
		return change;
	}

	/**
	 * Runs `operation` on the database, and converts the database's errors to those of the store's contract.
	 */
	#attempt<T>(activity: Activity, operation: () => T): T {
		// After a failed rollback the transaction is still open, and nothing may be added to it.
		if (this.#failure) throw this.#failure;
		try {
			return operation();
		} catch (error) {
			if (isFatal(error)) throw this.#fail(error);
			if (!isSqliteError(error)) throw error;
			throw new StoreUnavailableError(`${FAULTS[activity]}: ${String(error)}`, { cause: error });
		}
	}

	#fail(cause: unknown): StoreFailedError {
		const failure = new StoreFailedError(damaged(this.#path, cause), { cause });
		this.#failure = failure;
		this.#failed.resolve(failure);
		// In a later turn, since the failed read may be that of a watch, and calls of sinks must not overlap.
		setImmediate(() => this.#hub.close(failure));
		return failure;
	}
}

function closedError(): StoreUnavailableError {
	return new StoreUnavailableError('the store is closed');
}
