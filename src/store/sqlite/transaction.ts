import type { DatabaseSync } from 'node:sqlite';

/** The database could not leave a transaction that went wrong: nothing can be written to it any more. */
export class RollbackFailedError extends Error {
	override readonly name = 'RollbackFailedError';
}

/**
 * Runs `work` in a transaction and returns its result once that is on disk. Throws what `work` or the
 * database threw, with nothing changed; a {@link RollbackFailedError} if the transaction is still open.
 */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
	try {
		database.exec('BEGIN IMMEDIATE');
		const result = work();
		database.exec('COMMIT');
		return result;
	} catch (error) {
		rollBack(database, error);
		throw error;
	}
}

/** SQLite has rolled back by itself after some errors (a full disk, an I/O error). */
function rollBack(database: DatabaseSync, reason: unknown): void {
	if (!database.isTransaction) return;
	try {
		database.exec('ROLLBACK');
	} catch (error) {
		throw new RollbackFailedError(`${String(error)}, after ${String(reason)}`, { cause: reason });
	}
}

const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** Whether the error comes from the database, and is no fault of ours. */
export function isSqliteError(error: unknown): boolean {
	return primaryCode(error) !== undefined;
}

/** Whether the file is locked by another process. */
export function isBusy(error: unknown): boolean {
	return primaryCode(error) === SQLITE_BUSY;
}

/** Whether the error will not pass while the process lives: the file is damaged, or a transaction stuck. */
export function isFatal(error: unknown): boolean {
	const code = primaryCode(error);
	return error instanceof RollbackFailedError || code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}

/** SQLite's result code without the detail in its upper bits; undefined for an error of another origin. */
function primaryCode(error: unknown): number | undefined {
	if (!(error instanceof Error) || !('errcode' in error)) return undefined;
	return Number(error.errcode) & 0xff;
}
