/**
 * From parsed log lines to the response of a log request: {@link LogText} for all lines, {@link LogTail} for the
 * last ones, {@link limited} for `limitBytes`.
 */
import { logGapText } from '../../api/contract/log-gap.ts';
import type { LogLine } from './cri-log-parser.ts';
import type { LogPiece } from './log-reader.ts';

const NEWLINE = 10;
const SPACE = 32;

/** Which lines are shown, and how. */
export interface LogTextOptions {
	/** True if each line starts with its time and a blank. */
	readonly timestamps: boolean;
	/** Selects the lines that are shown; undefined: all lines. */
	readonly wants?: (line: LogLine) => boolean;
}

/**
 * Turns log lines into the bytes that the client receives. It joins the parts of a line, and replaces missing lines
 * by a line that says how many are missing. That line appears only if the line after it is selected: otherwise the
 * request (`sinceTime`) did not select the missing ones either.
 */
export class LogText {
	readonly #options: LogTextOptions;
	/** Whether the text so far ends within a line: a part of one was written. */
	#isInLine = false;
	#missing = 0;

	constructor(options: LogTextOptions) {
		this.#options = options;
	}

	/** True if the line is selected. */
	readonly wants = (line: LogLine): boolean => this.#options.wants?.(line) ?? true;

	/** The text of a piece of the log; may be empty. */
	push(piece: LogPiece): Buffer {
		if (piece.lost !== undefined) return this.lose(piece.lost);
		const lines = this.wanted(piece.lines);
		const gap = this.gapBefore(lines);
		const text = this.write(lines);
		return gap ? Buffer.concat([gap, text]) : text;
	}

	/** The selected ones of `lines`. */
	wanted(lines: readonly LogLine[]): readonly LogLine[] {
		return this.#options.wants ? lines.filter(this.wants) : lines;
	}

	/** Counts missing lines. Returns a line end if a line is unfinished, since its other parts are among them. */
	lose(lines: number): Buffer {
		this.#missing += lines;
		const end = this.#isInLine ? '\n' : '';
		this.#isInLine = false;
		return Buffer.from(end);
	}

	/** The line that reports how many lines are missing before `lines`; undefined if none are, or `lines` is empty. */
	gapBefore([next]: readonly LogLine[]): Buffer | undefined {
		if (this.#missing === 0 || !next) return undefined;
		const text = logGapText(this.#missing, 'rotation removed them before they were read');
		this.#missing = 0;
		return Buffer.from(`${this.#options.timestamps ? `${next.time} ` : ''}${text}\n`);
	}

	/**
	 * The text of selected lines. As upstream (ReadLogs in k8s.io/cri-client), only what starts a line of the text has a
	 * time, also if a line of one stream stands between the parts of a line of the other: a client removes the times again.
	 */
	write(lines: readonly LogLine[]): Buffer {
		const { timestamps } = this.#options;
		let size = 0;
		for (const line of lines) size += line.textLength + 1 + (timestamps ? line.timeLength + 1 : 0);
		const out = Buffer.allocUnsafeSlow(size);
		let at = 0;
		for (const line of lines) {
			if (timestamps && !this.#isInLine) {
				at = line.copyTime(out, at);
				out[at++] = SPACE;
			}
			at = line.copyText(out, at);
			this.#isInLine = line.isPartial;
			if (!line.isPartial) out[at++] = NEWLINE;
		}
		return out.subarray(0, at);
	}
}

/** A piece of the text that a {@link LogTail} keeps. */
interface TailPiece {
	readonly text: Buffer;
	/** Number of log lines in it; 0 if it only reports missing lines, so that it does not use up the limit. */
	readonly lines: number;
}

/**
 * Keeps the last lines of a log. It keeps them as text, which takes less memory than an object per line. A line that
 * was split into parts counts once. Parts of stdout and stderr may alternate, so the parts of a line are kept apart
 * until its end: the line then appears at the place where it ended, with no part of another line in it.
 */
export class LogTail {
	readonly #limit: number;
	readonly #text: LogText;
	/** Oldest first. No piece can be dropped from the start without falling below the limit. */
	#pieces: TailPiece[] = [];
	#lines = 0;
	/** The parts of unfinished lines, by stream. */
	readonly #open = new Map<string, LogLine[]>();

	/** Keeps the last `limit` of the lines that `text` selects. */
	constructor(limit: number, text: LogText) {
		this.#limit = limit;
		this.#text = text;
	}

	/** Adds the next piece of the log. */
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

	/** The text of the last lines, in pieces. An unfinished last line is included. */
	*take(): Generator<Buffer> {
		this.#keepOpen();
		let over = Math.max(0, this.#lines - this.#limit);
		for (const { text, lines } of this.#pieces) {
			let start = 0;
			for (; over > 0 && lines > 0; over--) start = text.indexOf(NEWLINE, start) + 1;
			yield text.subarray(start);
		}
	}

	/** Keeps a part of a line and returns false; with the last part, adds all parts to `whole` and returns true. */
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

	/** Adds a piece, then drops the first pieces, gap reports included, if the others hold enough lines. */
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

/** The first `limitBytes` bytes of `pieces`; all of them if it is undefined. */
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
