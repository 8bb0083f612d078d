import { logGapText } from '../api/meta/log-gap.ts';
import type { LogLine } from './log-lines.ts';
import type { LogPiece } from './log-reader.ts';

const NEWLINE = 10;
const SPACE = 32;

/** Which lines are shown, and how. */
export interface LogTextOptions {
	/** Each line begins with its time. */
	readonly timestamps: boolean;
	/** Whether the line is among those to be shown; undefined: every line is. */
	readonly wants?: (line: LogLine) => boolean;
}

/**
 * Turns the lines of a log into the bytes that clients see: the parts of a line are put together again, and
 * in the place of lines that are missing there is one that says how many. That one is shown only if the line
 * after it is wanted, since otherwise what is missing was not asked for either.
 */
export class LogText {
	readonly #options: LogTextOptions;
	/** The streams of which a part of a line was written, whose rest is to come. */
	readonly #open = new Set<string>();
	#missing = 0;

	constructor(options: LogTextOptions) {
		this.#options = options;
	}

	/** Whether the line is among those to be shown. */
	readonly wants = (line: LogLine): boolean => this.#options.wants?.(line) ?? true;

	/** The text of what was read; may be empty. */
	push(piece: LogPiece): Buffer {
		if (piece.lost !== undefined) {
			this.#missing += piece.lost;
			return Buffer.alloc(0);
		}
		const lines = this.#options.wants ? piece.lines.filter(this.wants) : piece.lines;
		const [first] = lines;
		const text = this.#write(lines);
		if (this.#missing === 0 || !first) return text;
		return Buffer.concat([this.#gap(first), text]);
	}

	#gap(next: LogLine): Buffer {
		const text = logGapText(this.#missing, 'rotation removed them before they were read');
		this.#missing = 0;
		return Buffer.from(`${this.#options.timestamps ? `${next.time} ` : ''}${text}\n`);
	}

	#write(lines: readonly LogLine[]): Buffer {
		const { timestamps } = this.#options;
		let size = 0;
		for (const line of lines) size += line.textLength + 1 + (timestamps ? line.timeLength + 1 : 0);
		const out = Buffer.allocUnsafeSlow(size);
		let at = 0;
		for (const line of lines) {
			if (timestamps && !this.#open.has(line.stream)) {
				at = line.copyTime(out, at);
				out[at++] = SPACE;
			}
			at = line.copyText(out, at);
			if (line.isPartial) {
				this.#open.add(line.stream);
				continue;
			}
			if (this.#open.size > 0) this.#open.delete(line.stream);
			out[at++] = NEWLINE;
		}
		return out.subarray(0, at);
	}
}

/** Keeps the last lines; a line that was cut into parts is one. */
export class LogTail {
	readonly #limit: number;
	#kept: LogLine[][] = [];
	#isOpen = false;

	constructor(limit: number) {
		this.#limit = limit;
	}

	/** Takes in what comes next. */
	push(lines: readonly LogLine[]): void {
		for (const line of lines) {
			if (this.#isOpen) this.#kept.at(-1)?.push(line);
			else this.#kept.push([line]);
			this.#isOpen = line.isPartial;
		}
		if (this.#kept.length > 2 * this.#limit + 1000) this.#kept = this.#last();
	}

	/** The last lines of what came. */
	lines(): readonly LogLine[] {
		return this.#last().flat();
	}

	#last(): LogLine[][] {
		return this.#limit === 0 ? [] : this.#kept.slice(-this.#limit);
	}
}

/** At most so many bytes of `pieces`, or all of them. */
export async function* limited(
	pieces: AsyncIterable<Uint8Array>,
	limitBytes: number | undefined,
): AsyncGenerator<Uint8Array> {
	let left = limitBytes ?? Number.POSITIVE_INFINITY;
	for await (const piece of pieces) {
		yield piece.length <= left ? piece : piece.subarray(0, left);
		left -= piece.length;
		if (left <= 0) return;
	}
}
