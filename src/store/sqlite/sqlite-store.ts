import { chmodSync, closeSync, constants, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
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
import { enableShrinking, freePages, shrinkStep } from './space.ts';
import { inTransaction, isBusy, isFatal, isSqliteError } from './transaction.ts';

/** How a database is opened. */
export interface SqliteStoreOptions {
	/** The file; made, for its owner only, if it does not exist. Others of its name and `-…` lie beside it. */
	readonly path: string;
	/** Told in a sentence if the file is older than what was acknowledged from it; see revision-mark.ts. */
	readonly onWarning?: (message: string) => void;
	/** Limits how large the file may grow, in pages of 4 KiB; for tests of a full disk. */
	readonly maxPages?: number;
	/** Opens the database; for tests that inject faults. */
	readonly openDatabase?: (path: string) => DatabaseSync;
}

/**
 * Opens the store at `path`. Rejects with StoreLockedError while another process has it open (the lock
 * goes with the process, however that ends), and with StoreUnavailableError for a file it cannot read.
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

/** The WAL is cut to this length once its pages are in the file; it needs as much between two such times. */
const WAL_BYTES = 4 * 1024 * 1024;

function prepare(database: DatabaseSync, { maxPages }: SqliteStoreOptions): void {
	// In exclusive mode the first statement takes the file's lock and keeps it.
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

/** What to tell an operator of a database that cannot be read. */
function damaged(path: string, error: unknown): string {
	const reason = error instanceof Error ? error.message : String(error);
	return `${path} is damaged (${reason}): restore the data folder from a backup, or move this file away to begin without stored objects`;
}

/** How many revisions are given up in one transaction: few enough not to be felt. */
const COMPACTION_STEP = 200;

/**
 * A transaction takes writes up to so many bytes of values, at least one write: about 10 ms of work. What
 * waits beyond that is committed in the next turn, so that other work has its turn between.
 */
const GROUP_BYTES = 2 * 1024 * 1024;

interface Waiting {
	readonly write: Write;
	readonly resolve: (revision: Revision) => void;
	readonly reject: (error: unknown) => void;
}

/** What the store was doing when an error met it. */
type Activity = 'write' | 'read' | 'compaction';

const FAULTS: Readonly<Record<Activity, string>> = {
	write: 'the write could not be put on disk',
	read: 'the store could not be read',
	compaction: 'the compaction could not be put on disk',
};

/**
 * The store on SQLite. Writes asked for in one turn of the event loop are committed together: one sync
 * of the disk for all. A commit takes the thread it is called on; at about 0.2 ms for a sync that costs
 * less than handing the rows to another thread would.
 *
 * A full disk or an I/O error refuses the calls that met it. A damaged file, or a transaction that can
 * be neither committed nor rolled back, fails the store for good.
 */
class SqliteStore implements Store {
	readonly #path: string;
	readonly #database: DatabaseSync;
	readonly #log: LogTable;
	readonly #mark: RevisionMark;
	readonly #history: ChangeLog;
	readonly #hub: WatchHub;
	readonly #failed = Promise.withResolvers<StoreFailedError>();
	#waiting: Waiting[] = [];
	#revision: Revision;
	#compacted: Revision;
	#failure: StoreFailedError | undefined;
	#closed: Promise<void> | undefined;

	/** Takes over an open database with its tables made, and closes it in {@link close}. */
	constructor(database: DatabaseSync, { path, onWarning }: SqliteStoreOptions) {
		this.#path = path;
		this.#database = database;
		this.#log = new LogTable(database);
		this.#mark = new RevisionMark(path);
		this.#skipLostRevisions(onWarning);
		this.#revision = this.#log.lastRevision();
		this.#compacted = this.#log.compacted();
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
			if (this.#waiting.length === 0) setImmediate(() => this.#commit());
			this.#waiting.push({ write, resolve, reject });
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
				inTransaction(this.#database, () => this.#log.forget(this.#compacted, to)),
			);
			this.#compacted = to;
			await nextTurn();
			if (this.#refusal()) return;
		}
		await this.#shrink();
	}

	/** Returns pages to the disk while many are free, a few at a time. */
	async #shrink(): Promise<void> {
		while (freePages(this.#database).toReturn > 0) {
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
		// The commit of the writes under way stands before this one in the event loop's line. Never at once:
		// a sink may ask for this while it is being told, and the calls of sinks do not overlap.
		do await nextTurn();
		while (this.#waiting.length > 0);
		this.#hub.close(closedError());
		this.#mark.close();
		this.#database.close();
	}

	/**
	 * A file older than its mark has lost writes that were acknowledged. The lost revisions are not used a
	 * second time: a client that has seen them would take other changes for those. They count as
	 * compacted, so that such a client is told to list anew (etcd: restore with --mark-compacted).
	 */
	#skipLostRevisions(onWarning: SqliteStoreOptions['onWarning']): void {
		const last = this.#log.lastRevision();
		const marked = this.#mark.read() ?? 0;
		if (marked <= last) return;
		inTransaction(this.#database, () => {
			this.#log.forget(this.#log.compacted(), last);
			this.#log.setCompacted(marked);
		});
		const lost = last + 1 === marked ? `revision ${marked}` : `revisions ${last + 1} to ${marked}`;
		onWarning?.(
			`${this.#path} has lost writes that were acknowledged: ${lost}. It was restored from an older copy, or its -wal file was cut or removed`,
		);
	}

	#refusal(): StoreUnavailableError | undefined {
		return this.#closed ? closedError() : this.#failure;
	}

	#assertUsable(): void {
		const refusal = this.#refusal();
		if (refusal) throw refusal;
	}

	/** Takes the writes of the next transaction from those that wait, and lets the next turn commit the others. */
	#takeGroup(): readonly Waiting[] {
		let bytes = 0;
		let count = 0;
		for (const { write } of this.#waiting) {
			bytes += write.type === 'delete' ? 0 : write.value.length;
			if (count > 0 && bytes > GROUP_BYTES) break;
			count += 1;
		}
		const group = this.#waiting.slice(0, count);
		this.#waiting = this.#waiting.slice(count);
		if (this.#waiting.length > 0) setImmediate(() => this.#commit());
		return group;
	}

	/** Commits a group of the writes that wait in one transaction, each with its own outcome. Never throws. */
	#commit(): void {
		const group = this.#takeGroup();
		const done: Array<{ readonly waiting: Waiting; readonly change: Change }> = [];
		const refused: Array<{ readonly waiting: Waiting; readonly error: Error }> = [];
		try {
			this.#attempt('write', () =>
				inTransaction(this.#database, () => {
					for (const waiting of group) {
						const outcome = this.#perform(waiting.write, this.#revision + done.length + 1);
						if (outcome instanceof Error) refused.push({ waiting, error: outcome });
						else done.push({ waiting, change: outcome });
					}
				}),
			);
		} catch (error) {
			// Nothing of the group is on disk; each of its writers is told so.
			for (const { reject } of group) reject(error);
			return;
		}
		this.#revision += done.length;
		this.#mark.write(this.#revision);
		if (done.length > 0) this.#hub.publish(done.map(({ change }) => change));
		for (const { waiting, change } of done) waiting.resolve(change.revision);
		for (const { waiting, error } of refused) waiting.reject(error);
	}

	/** Performs one write within the transaction; returns the change, or why it is refused. */
	#perform(write: Write, revision: Revision): Change | Error {
		const previous = this.#log.latest(write.key);
		if (write.type === 'create' && previous) return new KeyExistsError(write.key);
		if (write.type !== 'create' && previous?.revision !== write.expected) {
			return new RevisionMismatchError(write.key, previous?.revision);
		}
		const change = changeOf(write, revision, previous);
		this.#log.append(change);
		return change;
	}

	/** Runs `act` on the database, and throws in the store's own terms what the database throws. */
	#attempt<T>(activity: Activity, act: () => T): T {
		// A transaction that could not be left is still open: nothing may be added to it.
		if (this.#failure) throw this.#failure;
		try {
			return act();
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
		// Not at once: a watch may be the one that is reading, and the calls of sinks do not overlap.
		setImmediate(() => this.#hub.close(failure));
		return failure;
	}
}

function closedError(): StoreUnavailableError {
	return new StoreUnavailableError('the store is closed');
}
