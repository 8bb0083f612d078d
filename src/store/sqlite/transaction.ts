import type { DatabaseSync } from 'node:sqlite';

/** The database could not roll back a failed transaction, so it can accept no further writes. */
export class RollbackFailedError extends Error {
	override readonly name = 'RollbackFailedError';
}

/**
 * Runs `work` in a transaction and returns its result once the transaction is on disk. Rethrows the error of
 * `work` or of the database after a rollback; throws a {@link RollbackFailedError} if the rollback fails.
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

/** After some errors (a full disk, an I/O error) SQLite has already rolled back by itself. */
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

/** Whether the error comes from SQLite and not from a fault in this program. */
export function isSqliteError(error: unknown): boolean {
	return primaryCode(error) !== undefined;
}

/** Whether the file is locked by another process. */
export function isBusy(error: unknown): boolean {
	return primaryCode(error) === SQLITE_BUSY;
}

/**
 * Whether the error is permanent for this process: the file is damaged, or a transaction cannot be rolled
 * back.
 */
export function isFatal(error: unknown): boolean {
	const code = primaryCode(error);
	return error instanceof RollbackFailedError || code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}

/**
 * SQLite's primary result code, without the extended code in the upper bits; undefined for errors of other
 * origins.
 */
function primaryCode(error: unknown): number | undefined {
	if (!(error instanceof Error) || !('errcode' in error)) return undefined;
	return Number(error.errcode) & 0xff;
}
