import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import { bytesOf as bytesOfChange } from '../change.ts';
import { ReadLimit } from '../read-limit.ts';
import {
	type Change,
	type ChangesRequest,
	type ChangesResult,
	CompactedError,
	type Entry,
	type RangeRequest,
	type RangeResult,
	type Revision,
} from '../store.ts';

type Row = Record<string, SQLOutputValue>;

/**
 * The SQL statements on the log table. All methods are synchronous, and throw the database's errors
 * unchanged.
 */
export class LogTable {
	readonly #insert: StatementSync;
	readonly #latest: StatementSync;
	readonly #latestHead: StatementSync;
	readonly #value: StatementSync;
	readonly #range: StatementSync;
	readonly #changes: StatementSync;
	readonly #deleteSuperseded: StatementSync;
	readonly #deleteTombstones: StatementSync;
	readonly #setCompacted: StatementSync;
	readonly #database: DatabaseSync;

	constructor(database: DatabaseSync) {
		this.#database = database;
		this.#insert = database.prepare(
			'INSERT INTO log (revision, key, created, previous, value) VALUES (?, ?, ?, ?, ?)',
		);
		this.#latest = database.prepare(
			'SELECT revision, key, created, value FROM log WHERE key = ? ORDER BY revision DESC LIMIT 1',
		);
		this.#latestHead = database.prepare(
			'SELECT revision, key, created, value IS NOT NULL AS live FROM log WHERE key = ? ORDER BY revision DESC LIMIT 1',
		);
		this.#value = database.prepare('SELECT value FROM log WHERE revision = ?');
		// The newest row of each key, by a subquery per key: so the cost of a page depends on its own rows only.
		// Grouping by key first also reads all rows after the page (120 ms for each page of 50,000 objects, where
		// this takes 1 to 8).
		this.#range = database.prepare(`
			SELECT revision, key, created, value FROM log
			WHERE key >= ?1 AND key < ?2 AND key > ?3 AND revision <= ?4 AND value IS NOT NULL AND revision = (
				SELECT max(revision) FROM log AS each WHERE each.key = log.key AND each.revision <= ?4
			)
			ORDER BY key LIMIT ?5`);
		// Must read by revision: through the index by key, SQLite would sort all changes of the keys, with their
		// values, for each batch (450 ms for 80 values of 3 MiB). The unary plus keeps it from using the index.
		this.#changes = database.prepare(`
			SELECT log.revision, log.key, log.created, log.value, old.revision AS oldRevision,
				old.created AS oldCreated, old.value AS oldValue
			FROM log LEFT JOIN log AS old ON old.revision = log.previous
			WHERE log.revision > ? AND log.revision <= ? AND +log.key >= ? AND +log.key < ?
			ORDER BY log.revision LIMIT ?`);
		this.#deleteSuperseded = database.prepare(
			'DELETE FROM log WHERE revision IN (SELECT previous FROM log WHERE revision > ? AND revision <= ?)',
		);
		this.#deleteTombstones = database.prepare(
			'DELETE FROM log WHERE revision > ? AND revision <= ? AND value IS NULL',
		);
		this.#setCompacted = database.prepare('UPDATE compaction SET revision = ?');
	}

	/** The last revision on disk. */
	lastRevision(): Revision {
		const row = this.#database.prepare('SELECT max(revision) AS last FROM log').get();
		// The last change may have been a deletion whose tombstone was compacted.
		return Math.max(Number(row?.last ?? 0), this.compacted());
	}

	/** The revision before which the history has been compacted. */
	compacted(): Revision {
		return Number(this.#database.prepare('SELECT revision FROM compaction').get()?.revision ?? 0);
	}

	/** The current entry at `key`, including changes of the current transaction. */
	latest(key: string): Entry | undefined {
		const row = this.#latest.get(key);
		const value = bytesOf(row?.value);
		return row && value && entryOf(row, value);
	}

	/**
	 * As {@link latest}, but the value is read only if it is asked for. Each write needs the revision of the entry that
	 * it replaces, and a copy of each value would be garbage at once: 40 KB for a Job of one Pod.
	 */
	latestHead(key: string): Entry | undefined {
		const row = this.#latestHead.get(key);
		return row?.live ? new UnreadEntry(row, (revision) => this.#valueAt(revision)) : undefined;
	}

	#valueAt(revision: Revision): Uint8Array {
		const value = bytesOf(this.#value.get(revision)?.value);
		if (!value) throw new CompactedError(revision, this.compacted());
		return value;
	}

	/** Appends a change to the log. */
	append(change: Change): void {
		const { revision, previous } = change;
		const { key } = change.type === 'put' ? change.entry : change;
		const created = change.type === 'put' ? change.entry.createRevision : change.previous.createRevision;
		const value = change.type === 'put' ? change.entry.value : null;
		this.#insert.run(revision, key, created, previous?.revision ?? 0, value);
	}

	/** The entries at `revision`, sorted by key, and whether the request's limits have cut them. */
	range(request: RangeRequest, revision: Revision): Omit<RangeResult, 'revision'> {
		const { prefix, after = '', limit } = request;
		// One more row than requested, to know whether more exist. -1 means no limit in SQLite.
		const atMost = limit === undefined ? -1 : limit + 1;
		const entries: Entry[] = [];
		const reached = new ReadLimit(request);
		// Not `all`: it would copy the values of all rows before the first is checked against the limits.
		for (const row of this.#range.iterate(prefix, endOf(prefix), after, revision, atMost)) {
			const value = bytesOf(row.value);
			if (!value) continue;
			if (reached.isReached) return { entries, more: true };
			reached.count(value.length);
			entries.push(entryOf(row, value));
		}
		return { entries, more: false };
	}

	/**
	 * The changes after a revision, in order, within the request's limits. Scans at most {@link MAX_SCANNED}
	 * rows.
	 */
	changes(request: ChangesRequest): ChangesResult {
		const { prefix, after, limit } = request;
		const end = after + MAX_SCANNED;
		const changes: Change[] = [];
		const reached = new ReadLimit(request);
		for (const row of this.#changes.iterate(after, end, prefix, endOf(prefix), limit)) {
			const change = changeOf(row);
			if (!change) continue;
			reached.count(bytesOfChange(change));
			changes.push(change);
			if (reached.isReached) return { revision: change.revision, changes };
		}
		return { revision: end, changes };
	}

	/**
	 * Deletes the rows that changes in `(from, to]` have replaced, and tombstones. The caller opens the
	 * transaction.
	 */
	compact(from: Revision, to: Revision): void {
		this.#deleteSuperseded.run(from, to);
		this.#deleteTombstones.run(from, to);
		this.setCompacted(to);
	}

	/** Records that the history before `revision` has been compacted. */
	setCompacted(revision: Revision): void {
		this.#setCompacted.run(revision);
	}
}

/** An entry whose value is read when it is first asked for. Throws a CompactedError if it has been compacted. */
class UnreadEntry implements Entry {
	readonly key: string;
	readonly revision: Revision;
	readonly createRevision: Revision;
	readonly #read: (revision: Revision) => Uint8Array;
	#value: Uint8Array | undefined;

	constructor(row: Row, read: (revision: Revision) => Uint8Array) {
		this.key = String(row.key);
		this.revision = Number(row.revision);
		this.createRevision = Number(row.created);
		this.#read = read;
	}

	get value(): Uint8Array {
		this.#value ??= this.#read(this.revision);
		return this.#value;
	}
}

/** Number of rows that a read of the history scans: some milliseconds if none of them has a requested key. */
const MAX_SCANNED = 1000;

/** An upper bound of the keys that start with `prefix`. No key contains the highest code point. */
function endOf(prefix: string): string {
	return `${prefix}\u{10ffff}`;
}

function entryOf(row: Row, value: Uint8Array): Entry {
	return { key: String(row.key), value, revision: Number(row.revision), createRevision: Number(row.created) };
}

function changeOf(row: Row): Change | undefined {
	const { key = null } = row;
	const value = bytesOf(row.value);
	const oldValue = bytesOf(row.oldValue);
	const previous =
		oldValue &&
		entryOf({ key, revision: row.oldRevision ?? null, created: row.oldCreated ?? null }, oldValue);
	if (value) {
		const entry = entryOf(row, value);
		return { type: 'put', revision: entry.revision, entry, previous };
	}
	return previous && { type: 'delete', revision: Number(row.revision), key: String(key), previous };
}

/**
 * The bytes of a value; undefined for a deletion. The store writes only blobs. A value of another type was
 * written by another program, and is returned as its text, so that the reader accepts or refuses it.
 */
function bytesOf(value: SQLOutputValue | undefined): Uint8Array | undefined {
	if (value === null || value === undefined) return undefined;
	return value instanceof Uint8Array ? value : Buffer.from(String(value));
}
