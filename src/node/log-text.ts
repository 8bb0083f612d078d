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
		if (piece.lost !== undefined) return this.lose(piece.lost);
		const lines = this.wanted(piece.lines);
		const gap = this.gapBefore(lines);
		const text = this.write(lines);
		return gap ? Buffer.concat([gap, text]) : text;
	}

	/** Those of the lines that are to be shown. */
	wanted(lines: readonly LogLine[]): readonly LogLine[] {
		return this.#options.wants ? lines.filter(this.wants) : lines;
	}

	/** Counts lines that are missing here. Returns the end of a line whose rest is among them, if there is one. */
	lose(lines: number): Buffer {
		this.#missing += lines;
		if (this.#open.size === 0) return Buffer.alloc(0);
		this.#open.clear();
		return Buffer.from('\n');
	}

	/** The line that says how many lines are missing before `lines`, the next to be shown; undefined if none are. */
	gapBefore([next]: readonly LogLine[]): Buffer | undefined {
		if (this.#missing === 0 || !next) return undefined;
		const text = logGapText(this.#missing, 'rotation removed them before they were read');
		this.#missing = 0;
		return Buffer.from(`${this.#options.timestamps ? `${next.time} ` : ''}${text}\n`);
	}

	/** The text of lines that are to be shown. */
	write(lines: readonly LogLine[]): Buffer {
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

/** A piece of the text that a {@link LogTail} keeps. */
interface TailPiece {
	readonly text: Buffer;
	/** How many lines of the log it has: none if it only says that lines are missing. */
	readonly lines: number;
}

/**
 * Keeps the last lines of a log as text, which takes less memory than an object for each line; a line that was
 * cut into parts is one. The streams are written by turns, also in the middle of a line: the parts of a line
 * are held until its end, so that it stands where it ended and no part of another line is in it.
 */
export class LogTail {
	readonly #limit: number;
	readonly #text: LogText;
	/** Oldest first. Without the first piece there would be too few lines. */
	#pieces: TailPiece[] = [];
	#lines = 0;
	/** The parts of lines whose end has not come, by stream. */
	readonly #open = new Map<string, LogLine[]>();

	/** Keeps `limit` lines of those that `text` shows. */
	constructor(limit: number, text: LogText) {
		this.#limit = limit;
		this.#text = text;
	}

	/** Takes in what comes next. */
	push(piece: LogPiece): void {
		if (piece.lost !== undefined) {
			this.#keepOpen();
			this.#keep({ text: this.#text.lose(piece.lost), lines: 0 });
			return;
		}
		const whole: LogLine[] = [];
		let count = 0;
		for (const line of this.#text.wanted(piece.lines)) {
			const isApart = line.isPartial || this.#open.size > 0;
			if (isApart && !this.#join(line, whole)) continue;
			if (!isApart) whole.push(line);
			count += 1;
		}
		this.#keepLines(whole, count);
	}

	/** The text of the last lines of what came, in pieces; a last line without its end is among them. */
	*take(): Generator<Buffer> {
		this.#keepOpen();
		let over = Math.max(0, this.#lines - this.#limit);
		for (const { text, lines } of this.#pieces) {
			let start = 0;
			for (; over > 0 && lines > 0; over--) start = text.indexOf(NEWLINE, start) + 1;
			yield text.subarray(start);
		}
	}

	/** Holds the part of a line, or adds all parts to `whole` if this is the last one; then returns true. */
	#join(line: LogLine, whole: LogLine[]): boolean {
		const parts = this.#open.get(line.stream) ?? [];
		if (line.isPartial) {
			parts.push(line);
			this.#open.set(line.stream, parts);
			return false;
		}
		for (const part of parts) whole.push(part);
		whole.push(line);
		this.#open.delete(line.stream);
		return true;
	}

	#keepOpen(): void {
		for (const parts of this.#open.values()) this.#keepLines(parts, 1);
		this.#open.clear();
	}

	#keepLines(parts: readonly LogLine[], lines: number): void {
		const gap = this.#text.gapBefore(parts);
		if (gap) this.#keep({ text: gap, lines: 0 });
		if (lines > 0) this.#keep({ text: this.#text.write(parts), lines });
	}

	/** Drops the first pieces if the others are enough, and with them what says that lines before are missing. */
	#keep(piece: TailPiece): void {
		this.#pieces.push(piece);
		this.#lines += piece.lines;
		let dropped = 0;
		for (const { lines } of this.#pieces) {
			if (this.#lines - lines < this.#limit) break;
			this.#lines -= lines;
			dropped += 1;
		}
		if (dropped > 0) this.#pieces = this.#pieces.slice(dropped);
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
