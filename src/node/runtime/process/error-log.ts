import { writeSync } from 'node:fs';
import type { Clock } from '../../../base/clock.ts';

const STANDARD_ERROR = 2;

/** How much one launcher writes at most: an error that comes again and again must not fill the disk. */
const MOST_BYTES = 256 * 1024;

/**
 * Where a launcher writes errors that no caller is there for: to its standard error, a file in its folder. It
 * never throws: an error that cannot be written, as on a full disk, would otherwise be the next one to write.
 */
export class ErrorLog {
	readonly #clock: Pick<Clock, 'now'>;
	readonly #write: (text: string) => void;
	#left = MOST_BYTES;
	#last = '';
	#repeated = 0;

	/** `write` is the system's, except in tests. */
	constructor(
		clock: Pick<Clock, 'now'>,
		write: (text: string) => void = (text) => void writeSync(STANDARD_ERROR, text),
	) {
		this.#clock = clock;
		this.#write = write;
	}

	/** Writes an error, with its stack; one that repeats the last one is counted only. */
	readonly add = (error: unknown): void => {
		const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
		if (text === this.#last) {
			this.#repeated += 1;
			return;
		}
		if (this.#repeated > 0) this.#line(`the last error came ${this.#repeated} more times`);
		[this.#last, this.#repeated] = [text, 0];
		this.#line(text);
	};

	#line(text: string): void {
		if (this.#left <= 0) return;
		const line = `${new Date(this.#clock.now()).toISOString()} ${text}\n`;
		this.#left -= line.length;
		const end = this.#left > 0 ? '' : 'further errors of this launcher are not written\n';
		try {
			this.#write(line + end);
		} catch {
			// There is no other place to write it.
		}
	}
}
