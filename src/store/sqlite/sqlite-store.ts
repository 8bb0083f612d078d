import { chmodSync, closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
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
	StoreLockedError,
	StoreUnavailableError,
	type WatchHandle,
	type WatchSink,
	type Write,
} from '../store.ts';
import { type ChangeLog, readChanges, WatchHub } from '../watch-hub.ts';
import { LogTable } from './log-table.ts';
import { prepareTables } from './schema.ts';

/** How a database is opened. */
export interface SqliteStoreOptions {
	/** The file; made, for its owner only, if it is not there. */
	readonly path: string;
	/** Limits how large the file may grow, in pages of 4 KiB; for tests of a full disk. */
	readonly maxPages?: number;
}

/**
 * Opens the store at `path`. Rejects with StoreLockedError while another process has it open (the lock
 * goes with the process, however that ends), and with StoreUnavailableError for a file it cannot read.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
	let database: DatabaseSync | undefined;
	try {
		closeSync(openSync(options.path, 'a', 0o600));
		chmodSync(options.path, 0o600);
		database = new DatabaseSync(options.path, { timeout: 0 });
		prepare(database, options);
		return new SqliteStore(database);
	} catch (error) {
		database?.close();
		throw openingError(error, options.path);
	}
}

function prepare(database: DatabaseSync, { maxPages }: SqliteStoreOptions): void {
	// In exclusive mode the first statement takes the file's lock and keeps it.
	database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
	database.exec('PRAGMA cache_size = -4096; BEGIN IMMEDIATE; COMMIT');
	if (maxPages !== undefined) database.exec(`PRAGMA max_page_count = ${Math.trunc(maxPages)}`);
	prepareTables(database);
}

const SQLITE_BUSY = 5;

function openingError(error: unknown, path: string): unknown {
	if (error instanceof Error && 'errcode' in error && primaryCode(error.errcode) === SQLITE_BUSY) {
		return new StoreLockedError(`${path} is in use by another process`);
	}
	return error instanceof StoreUnavailableError
		? error
		: new StoreUnavailableError(`${path}: ${String(error)}`);
}

/** SQLite's result code without what it adds in its upper bits. */
function primaryCode(code: unknown): number {
	return Number(code) & 0xff;
}

/** How many revisions are given up in one transaction: few enough not to be felt. */
const COMPACTION_STEP = 200;

interface Waiting {
	readonly write: Write;
	readonly resolve: (revision: Revision) => void;
	readonly reject: (error: Error) => void;
}

/**
 * The store on SQLite. Writes asked for in one turn of the event loop are committed together: one sync
 * of the disk for all. A commit takes the thread it is called on; at about 0.2 ms for a sync that costs
 * less than handing the rows to another thread would.
 */
class SqliteStore implements Store {
	readonly #database: DatabaseSync;
	readonly #log: LogTable;
	readonly #history: ChangeLog;
	readonly #hub: WatchHub;
	#waiting: Waiting[] = [];
	#revision: Revision;
	#compacted: Revision;
	#closed: Promise<void> | undefined;

	constructor(database: DatabaseSync) {
		this.#database = database;
		this.#log = new LogTable(database);
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
			changes: (request) => this.#log.changes(request),
		};
		this.#hub = new WatchHub(this.#history, setImmediate);
	}

	get revision(): Revision {
		return this.#revision;
	}

	write(write: Write): Promise<Revision> {
		if (this.#closed) return Promise.reject(closedError());
		return new Promise((resolve, reject) => {
			if (this.#waiting.length === 0) setImmediate(() => this.#commit());
			this.#waiting.push({ write, resolve, reject });
		});
	}

	async get(key: string): Promise<Entry | undefined> {
		this.#assertOpen();
		return this.#log.latest(key);
	}

	async range(request: RangeRequest): Promise<RangeResult> {
		this.#assertOpen();
		const { limit, revision = this.#revision } = request;
		if (revision < this.#compacted) throw new CompactedError(revision, this.#compacted);
		if (revision > this.#revision) throw new FutureRevisionError(revision, this.#revision);
		// One more than asked for tells whether there is more; -1 is SQLite's word for all.
		const found = this.#log.range(request, revision, limit === undefined ? -1 : limit + 1);
		const more = limit !== undefined && found.length > limit;
		return { revision, entries: more ? found.slice(0, limit) : found, more };
	}

	async changes(request: ChangesRequest): Promise<ChangesResult> {
		this.#assertOpen();
		return readChanges(this.#history, request);
	}

	watch(request: { readonly prefix: string; readonly after: Revision }, sink: WatchSink): WatchHandle {
		return this.#hub.open(request, sink);
	}

	async compact(revision: Revision): Promise<void> {
		this.#assertOpen();
		if (revision > this.#revision) throw new FutureRevisionError(revision, this.#revision);
		while (this.#compacted < revision && !this.#closed) {
			const to = Math.min(this.#compacted + COMPACTION_STEP, revision);
			try {
				this.#log.forget(this.#compacted, to);
			} catch (error) {
				throw new StoreUnavailableError(`the compaction could not be put on disk: ${String(error)}`);
			}
			this.#compacted = to;
			await nextTurn();
		}
	}

	close(): Promise<void> {
		this.#closed ??= this.#close();
		return this.#closed;
	}

	async #close(): Promise<void> {
		// The commit of the writes under way stands before this one in the event loop's line. Never at once:
		// a sink may ask for this while it is being told, and the calls of sinks do not overlap.
		await nextTurn();
		this.#hub.close(closedError());
		this.#database.close();
	}

	#assertOpen(): void {
		if (this.#closed) throw closedError();
	}

	/** Commits whatever waits: all of it in one transaction, each write with its own outcome. */
	#commit(): void {
		const group = this.#waiting;
		this.#waiting = [];
		const done: Array<{ readonly waiting: Waiting; readonly change: Change }> = [];
		const refused: Array<{ readonly waiting: Waiting; readonly error: Error }> = [];
		try {
			this.#database.exec('BEGIN IMMEDIATE');
			for (const waiting of group) {
				const outcome = this.#perform(waiting.write, this.#revision + done.length + 1);
				if (outcome instanceof Error) refused.push({ waiting, error: outcome });
				else done.push({ waiting, change: outcome });
			}
			this.#database.exec('COMMIT');
		} catch (error) {
			this.#abandon(group, error);
			return;
		}
		this.#revision += done.length;
		if (done.length > 0) this.#hub.publish(done.map(({ change }) => change));
		for (const { waiting, change } of done) waiting.resolve(change.revision);
		for (const { waiting, error } of refused) waiting.reject(error);
	}

	/** Nothing of the group is on disk; each of its writers is told so. */
	#abandon(group: readonly Waiting[], error: unknown): void {
		if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
		const reason = new StoreUnavailableError(`the write could not be put on disk: ${String(error)}`);
		for (const { reject } of group) reject(reason);
	}

	/** Does one write within the transaction: the change, or why it is refused. */
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
}

function closedError(): Error {
	return new StoreUnavailableError('the store is closed');
}

function nextTurn(): Promise<void> {
	return new Promise((resolve) => void setImmediate(resolve));
}
