import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import { bytesOf as bytesOfChange } from '../change.ts';
import { ReadLimit } from '../read-limit.ts';
import type {
	Change,
	ChangesRequest,
	ChangesResult,
	Entry,
	RangeRequest,
	RangeResult,
	Revision,
} from '../store.ts';

type Row = Record<string, SQLOutputValue>;

/** The statements on the log table. Everything here is synchronous and knows nothing of promises. */
export class LogTable {
	readonly #insert: StatementSync;
	readonly #latest: StatementSync;
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
		// The newest row of each key, found key by key: so a page costs what is on it. Grouping the rows by key
		// first costs what is behind the page too (120 ms for each page of 50,000 objects, where this takes 1 to 8).
		this.#range = database.prepare(`
			SELECT revision, key, created, value FROM log
			WHERE key >= ?1 AND key < ?2 AND key > ?3 AND revision <= ?4 AND value IS NOT NULL AND revision = (
				SELECT max(revision) FROM log AS each WHERE each.key = log.key AND each.revision <= ?4
			)
			ORDER BY key LIMIT ?5`);
		// By revision, and never by key: SQLite would then sort all changes of the keys, with their values, for each
		// piece (450 ms for 80 values of 3 MiB). The unary plus keeps it from the index.
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

	/** The highest revision on disk. */
	lastRevision(): Revision {
		const row = this.#database.prepare('SELECT max(revision) AS last FROM log').get();
		// A tombstone may have been the last change and been compacted since.
		return Math.max(Number(row?.last ?? 0), this.compacted());
	}

	/** The revision up to which history has been given up. */
	compacted(): Revision {
		return Number(this.#database.prepare('SELECT revision FROM compaction').get()?.revision ?? 0);
	}

	/** The entry at `key`, as the current transaction sees it. */
	latest(key: string): Entry | undefined {
		const row = this.#latest.get(key);
		const value = bytesOf(row?.value);
		return row && value && entryOf(row, value);
	}

	/** Adds a change that replaces `previous`. */
	append(change: Change): void {
		const { revision, previous } = change;
		const { key } = change.type === 'put' ? change.entry : change;
		const created = change.type === 'put' ? change.entry.createRevision : change.previous.createRevision;
		const value = change.type === 'put' ? change.entry.value : null;
		this.#insert.run(revision, key, created, previous?.revision ?? 0, value);
	}

	/** The entries as of `revision`, by key, and whether there are more than the request's limits allow. */
	range(request: RangeRequest, revision: Revision): Omit<RangeResult, 'revision'> {
		const { prefix, after = '', limit } = request;
		// One more than asked for tells whether there is more; -1 is SQLite's word for all.
		const atMost = limit === undefined ? -1 : limit + 1;
		const entries: Entry[] = [];
		const reached = new ReadLimit(request);
		// Row by row: `all` would copy the values of all rows before the first one is looked at.
		for (const row of this.#range.iterate(prefix, endOf(prefix), after, revision, atMost)) {
			const value = bytesOf(row.value);
			if (!value) continue;
			if (reached.isReached) return { entries, more: true };
			reached.count(value.length);
			entries.push(entryOf(row, value));
		}
		return { entries, more: false };
	}

	/** The changes after a revision, in order, within the request's limits; it looks at {@link LOOKED_AT} rows at most. */
	changes(request: ChangesRequest): ChangesResult {
		const { prefix, after, limit } = request;
		const end = after + LOOKED_AT;
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

	/** Gives up what was replaced or deleted by changes in `(from, to]`; the caller makes the transaction. */
	forget(from: Revision, to: Revision): void {
		this.#deleteSuperseded.run(from, to);
		this.#deleteTombstones.run(from, to);
		this.setCompacted(to);
	}

	/** Records that history up to `revision` has been given up. */
	setCompacted(revision: Revision): void {
		this.#setCompacted.run(revision);
	}
}

/** A read of the history looks at so many rows in a row: few milliseconds where none is of the keys asked for. */
const LOOKED_AT = 1000;

/** The first key after all that start with `prefix`; keys are text without the highest code point. */
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
 * The bytes of a value; undefined for a deletion. The store writes blobs only; a value of another type was
 * put there by other hands, and is given as its text, for the reader to accept or to refuse.
 */
function bytesOf(value: SQLOutputValue | undefined): Uint8Array | undefined {
	if (value === null || value === undefined) return undefined;
	return value instanceof Uint8Array ? value : Buffer.from(String(value));
}
