import { writeSync } from 'node:fs';
import type { Clock } from '../../../base/clock.ts';

const STANDARD_ERROR = 2;

/** Limit on the output of one launcher, in bytes: a repeated error must not fill the disk. */
const MOST_BYTES = 256 * 1024;

/**
 * The log for errors that no call can return. It writes to the launcher's standard error, which is a file in its
 * folder. It never throws: an error on a full disk would otherwise cause the next error, without end.
 */
export class ErrorLog {
	readonly #clock: Pick<Clock, 'now'>;
	readonly #write: (text: string) => void;
	#left = MOST_BYTES;
	#last = '';
	#repeated = 0;

	/** `write` appends to the log; tests replace it. */
	constructor(
		clock: Pick<Clock, 'now'>,
		write: (text: string) => void = (text) => void writeSync(STANDARD_ERROR, text),
	) {
		this.#clock = clock;
		this.#write = write;
	}

	/** Writes an error with its time and stack. An error equal to the last one is only counted. */
	readonly add = (error: unknown): void => {
		const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
		if (text === this.#last) {
			this.#repeated += 1;
			return;
		}
		if (this.#repeated > 0) this.#line(`the last error was repeated ${this.#repeated} more times`);
		[this.#last, this.#repeated] = [text, 0];
		this.#line(text);
	};

	#line(text: string): void {
		if (this.#left <= 0) return;
		const line = `${new Date(this.#clock.now()).toISOString()} ${text}\n`;
		this.#left -= line.length;
		const end = this.#left > 0 ? '' : 'further errors of this launcher are not logged\n';
		try {
			this.#write(line + end);
		} catch {
			// The disk may be full, and there is no other place for it.
		}
	}
}
