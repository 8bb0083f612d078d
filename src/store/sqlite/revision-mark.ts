import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';

/**
 * Digits of every safe integer. The length is fixed, so that each mark overwrites the previous one
 * completely.
 */
const DIGITS = 16;

/**
 * The highest acknowledged revision, in a small file beside the database. A database whose last revision is
 * lower has lost writes: its WAL was truncated or removed, or an older copy has replaced it. SQLite opens
 * such files without an error.
 *
 * The store writes the mark after each commit and before it resolves the writes, without a sync: the page
 * cache outlives the process, and after a power failure the mark may be too low, but never too high. So it
 * costs 5 microseconds, raises no false alarm, and detects every loss while the machine keeps running.
 */
export class RevisionMark {
	readonly #fd: number;

	/**
	 * Opens the mark of the database at `path`, and creates it if it does not exist. Throws on an I/O error.
	 */
	constructor(path: string) {
		this.#fd = openSync(`${path}-mark`, constants.O_CREAT | constants.O_RDWR | constants.O_NOFOLLOW, 0o600);
	}

	/** Returns the revision in the file; undefined if it is empty or invalid. */
	read(): number | undefined {
		const bytes = Buffer.alloc(DIGITS);
		const length = readSync(this.#fd, bytes, 0, DIGITS, 0);
		const text = bytes.toString('latin1', 0, length);
		return /^\d{16}$/.test(text) ? Number(text) : undefined;
	}

	/** Records `revision`. If the disk refuses the write, an older mark remains, which is not an error. */
	write(revision: number): void {
		try {
			writeSync(this.#fd, String(revision).padStart(DIGITS, '0'), 0, 'latin1');
		} catch {
			// Ignored: a mark that is too low only fails to detect a loss.
		}
	}

	/** Closes the file. */
	close(): void {
		closeSync(this.#fd);
	}
}
