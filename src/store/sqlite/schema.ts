import type { DatabaseSync } from 'node:sqlite';
import { StoreUnavailableError } from '../store.ts';

/**
 * Version of the tables below, in the file's user_version. A file with a higher one was written by a newer
 * stint.
 */
const SCHEMA_VERSION = 1;

/**
 * One row per change. `previous` is the revision of the row that this one replaces (0: none), `created` that
 * of the key's creation. A deletion has no value (a tombstone). The index serves lookups and ranges by key;
 * the primary key serves reads by revision.
 */
const TABLES = `
	CREATE TABLE log (
		revision INTEGER PRIMARY KEY,
		key TEXT NOT NULL,
		created INTEGER NOT NULL,
		previous INTEGER NOT NULL,
		value BLOB
	);
	CREATE UNIQUE INDEX log_by_key ON log (key, revision);
	CREATE TABLE compaction (revision INTEGER NOT NULL);
	INSERT INTO compaction VALUES (0);
`;

/** Creates the tables in a new file. Throws StoreUnavailableError for a file of another version. */
export function prepareTables(database: DatabaseSync): void {
	const { user_version: version } = database.prepare('PRAGMA user_version').get() ?? {};
	if (version === SCHEMA_VERSION) return;
	if (version !== 0) {
		throw new StoreUnavailableError(
			`the data has schema version ${version}, but this version of stint supports only version ${SCHEMA_VERSION}`,
		);
	}
	database.exec(`BEGIN; ${TABLES} PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`);
}
