import type { DatabaseSync } from 'node:sqlite';
import { StoreUnavailableError } from '../store.ts';

/** The version of the tables below; a newer one in a file means a newer stint wrote it. */
const SCHEMA_VERSION = 1;

/**
 * One row per change. `previous` is the revision of the row that this one replaces (0: none), `created`
 * that of the key's creation; a deletion has no value. The index serves look-ups and ranges by key; the
 * order of revisions is the table's own.
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

/** Makes the tables in a new file; throws StoreUnavailableError for a file that a newer version wrote. */
export function prepareTables(database: DatabaseSync): void {
	const { user_version: version } = database.prepare('PRAGMA user_version').get() ?? {};
	if (version === SCHEMA_VERSION) return;
	if (version !== 0) {
		throw new StoreUnavailableError(
			`the data is of version ${version}, and this version of stint reads version ${SCHEMA_VERSION}`,
		);
	}
	database.exec(`BEGIN; ${TABLES} PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`);
}
