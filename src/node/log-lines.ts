/**
 * Reads a container's log in CRI format: `<time> <stdout|stderr> <F|P> <text>` a line, where P marks a
 * part whose rest follows on the next line of the same stream.
 *
 * A line refers to the bytes that were read instead of copying its parts: most readers of a log want the
 * text alone, and want it of millions of lines.
 */

/** One line (or part of one) as it stands in the log. */
export class LogLine {
	readonly #bytes: Buffer;
	readonly #start: number;
	readonly #timeEnd: number;
	readonly #streamEnd: number;
	readonly #textStart: number;
	readonly #end: number;

	/** `bytes` hold the line from `start` to `end`; the blanks behind time, stream and tag stand at `blanks`. */
	constructor(
		bytes: Buffer,
		{ start, end }: { readonly start: number; readonly end: number },
		blanks: readonly [number, number, number],
	) {
		this.#bytes = bytes;
		this.#start = start;
		[this.#timeEnd, this.#streamEnd] = blanks;
		this.#textStart = blanks[2] + 1;
		this.#end = end;
	}

	/** RFC 3339 with nanoseconds. */
	get time(): string {
		return this.#bytes.toString('latin1', this.#start, this.#timeEnd);
	}

	/** `stdout` or `stderr`. */
	get stream(): string {
		return this.#bytes.toString('latin1', this.#timeEnd + 1, this.#streamEnd);
	}

	/** True if the rest of the line follows in a later one. */
	get isPartial(): boolean {
		return this.#bytes[this.#streamEnd + 1] === PARTIAL && this.#textStart - this.#streamEnd === 3;
	}

	/** The text, as bytes: what a container prints need not be UTF-8. */
	get text(): Uint8Array {
		return this.#bytes.subarray(this.#textStart, this.#end);
	}

	/** How many bytes the text has. */
	get textLength(): number {
		return this.#end - this.#textStart;
	}

	/** How many bytes the time has. */
	get timeLength(): number {
		return this.#timeEnd - this.#start;
	}

	/** Copies the text to `target` at `at`; returns where it ends there. */
	copyText(target: Buffer, at: number): number {
		return at + this.#bytes.copy(target, at, this.#textStart, this.#end);
	}

	/** Copies the time likewise. */
	copyTime(target: Buffer, at: number): number {
		return at + this.#bytes.copy(target, at, this.#start, this.#timeEnd);
	}
}

const NEWLINE = 10;
const SPACE = 32;
const PARTIAL = 'P'.charCodeAt(0);
/** The `Z` at the end of a time in UTC. */
const ZULU = 'Z'.charCodeAt(0);

/**
 * The most that is kept of a line whose end has not come. Lines of a log are at most about 16 KiB, so what
 * is longer is no log, and is passed over up to its next line end.
 */
const LONGEST_LINE_BYTES = 64 * 1024;

/** Cuts what is read, piece by piece, into lines. A last line without an end waits for the next piece. */
export class LogLines {
	#rest: Buffer = Buffer.alloc(0);
	#passesOver = false;

	/** The lines that are whole with this piece, which must not change any more. What is no line is left out. */
	push(piece: Buffer): readonly LogLine[] {
		const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
		const lines: LogLine[] = [];
		let start = 0;
		for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
			const line = this.#passesOver ? undefined : parseLine(bytes, start, end);
			if (line) lines.push(line);
			this.#passesOver = false;
			start = end + 1;
		}
		this.#passesOver ||= bytes.length - start > LONGEST_LINE_BYTES;
		this.#rest = this.#passesOver ? Buffer.alloc(0) : bytes.subarray(start);
		return lines;
	}
}

function parseLine(bytes: Buffer, start: number, end: number): LogLine | undefined {
	const blanks = usualBlanks(bytes, start) ?? searchBlanks(bytes, start);
	return blanks[2] < 0 || blanks[2] >= end ? undefined : new LogLine(bytes, { start, end }, blanks);
}

/**
 * Where the blanks are in a line as this program writes it: all its times are equally long, and so are the
 * names of both streams. Saves more than half of the time that a long log takes; undefined for other lines.
 */
function usualBlanks(bytes: Buffer, start: number): readonly [number, number, number] | undefined {
	const isUsual =
		bytes[start + 29] === ZULU &&
		bytes[start + 30] === SPACE &&
		bytes[start + 37] === SPACE &&
		bytes[start + 39] === SPACE;
	return isUsual ? [start + 30, start + 37, start + 39] : undefined;
}

function searchBlanks(bytes: Buffer, start: number): readonly [number, number, number] {
	const first = bytes.indexOf(SPACE, start);
	const second = first < 0 ? -1 : bytes.indexOf(SPACE, first + 1);
	return [first, second, second < 0 ? -1 : bytes.indexOf(SPACE, second + 1)];
}
