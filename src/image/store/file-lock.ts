import { DatabaseSync } from 'node:sqlite';
import { type Clock, sleep } from '../../base/clock.ts';

/** SQLite's result code for a database that another connection has locked. */
const SQLITE_BUSY = 5;
/** The interval between attempts. The system has no event for the release of a lock. */
const RETRY_INTERVAL_MS = 20;

/**
 * An exclusive lock between processes: a lock of the kernel on a file, which the kernel releases when the process
 * ends, however it ends. So no lock is ever stale, and no process id must be judged, which would mean different
 * processes in different namespaces. Node has no call for such locks; SQLite takes one for an exclusive transaction.
 * Two locks in one process exclude each other too. The file stays empty; it must not be opened by other means, since
 * closing it would release the lock.
 */
export class FileLock {
	readonly #database: DatabaseSync;

	private constructor(database: DatabaseSync) {
		this.#database = database;
	}

	/** Takes the lock, or returns undefined if it is taken. Creates the file `path` if it does not exist. */
	static tryAcquire(path: string): FileLock | undefined {
		const database = new DatabaseSync(path, { timeout: 0 });
		try {
			database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
			return new FileLock(database);
		} catch (error) {
			database.close();
			if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) return undefined;
			throw error;
		}
	}

	/** Waits until the lock can be taken. Rejects with the reason of `signal` if it aborts. */
	static async acquire(path: string, clock: Clock, signal?: AbortSignal): Promise<FileLock> {
		for (;;) {
			signal?.throwIfAborted();
			const lock = FileLock.tryAcquire(path);
			if (lock) return lock;
			await sleep(clock, RETRY_INTERVAL_MS, signal);
		}
	}

	/** Releases the lock. Call it once. */
	release(): void {
		this.#database.close();
	}
}
