/**
 * Parses a container's log in CRI format. Each line is `<time> <stdout|stderr> <F|P> <text>`; P (partial) marks a
 * part of a line that continues in the next entry of the same stream.
 *
 * A parsed line refers to the bytes that were read and copies nothing: most readers need only the text, of millions
 * of lines.
 */

/** A time as it is printed. */
const FULL_TIME = '2026-01-31T08:00:00.000000000Z';

/** The time with nine digits of a second (upstream: `RFC3339NanoFixed`); as it is if it is no time. */
function withNanoseconds(time: string): string {
	const [, seconds, fraction = '', zone] = /^([^.Z+]+?)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(time) ?? [];
	return seconds === undefined ? time : `${seconds}.${fraction.padEnd(9, '0')}${zone}`;
}

/** One entry of the log: a line, or a part of one. */
export class LogLine {
	readonly #bytes: Buffer;
	readonly #start: number;
	readonly #timeEnd: number;
	readonly #streamEnd: number;
	readonly #textStart: number;
	readonly #end: number;

	/** The line is in `bytes` from `start` to `end`; `blanks` are the offsets of the blanks after time, stream and tag. */
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

	/** RFC 3339 with nanoseconds. Runtimes may leave zeros at the end out (containerd), which a kubelet prints. */
	get time(): string {
		const text = this.#bytes.toString('latin1', this.#start, this.#timeEnd);
		return text.length === FULL_TIME.length ? text : withNanoseconds(text);
	}

	/** `stdout` or `stderr`. */
	get stream(): string {
		return this.#bytes.toString('latin1', this.#timeEnd + 1, this.#streamEnd);
	}

	/** True if the rest of the line follows in a later one. */
	get isPartial(): boolean {
		return this.#bytes[this.#streamEnd + 1] === PARTIAL && this.#textStart - this.#streamEnd === 3;
	}

	/** The text as bytes: the output of a container need not be UTF-8. */
	get text(): Uint8Array {
		return this.#bytes.subarray(this.#textStart, this.#end);
	}

	/** Length of the text in bytes. */
	get textLength(): number {
		return this.#end - this.#textStart;
	}

	/** Length of the time in bytes. */
	get timeLength(): number {
		const length = this.#timeEnd - this.#start;
		return length === FULL_TIME.length ? length : this.time.length;
	}

	/** Copies the text to `target` at `at`; returns the offset after it. */
	copyText(target: Buffer, at: number): number {
		return at + this.#bytes.copy(target, at, this.#textStart, this.#end);
	}

	/** Copies the time to `target` at `at`; returns the offset after it. */
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
 * Limit on the bytes kept of an unfinished line. Lines of a CRI log have at most about 16 KiB, so a longer one is not
 * part of a log: it is skipped up to the next line end, and cannot fill the memory.
 */
const LONGEST_LINE_BYTES = 64 * 1024;

/** Splits the chunks of a log into lines. Keeps an unfinished last line for the next chunk. */
export class CriLogParser {
	#rest: Buffer = Buffer.alloc(0);
	/** True while an overlong line is being skipped. */
	#isSkipping = false;

	/** The lines that end in this chunk. The caller must not change its bytes afterwards. Skips malformed lines. */
	push(piece: Buffer): readonly LogLine[] {
		const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
		const lines: LogLine[] = [];
		let start = 0;
		for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
			const line = this.#isSkipping ? undefined : parseLine(bytes, start, end);
			if (line) lines.push(line);
			this.#isSkipping = false;
			start = end + 1;
		}
		this.#isSkipping ||= bytes.length - start > LONGEST_LINE_BYTES;
		this.#rest = this.#isSkipping ? Buffer.alloc(0) : bytes.subarray(start);
		return lines;
	}
}

function parseLine(bytes: Buffer, start: number, end: number): LogLine | undefined {
	const blanks = usualBlanks(bytes, start) ?? searchBlanks(bytes, start);
	return blanks[2] < 0 || blanks[2] >= end ? undefined : new LogLine(bytes, { start, end }, blanks);
}

/**
 * The offsets of the blanks in a line as this program writes it: its times all have 30 characters, and `stdout` and
 * `stderr` have six. Undefined for other lines. Without this fast path, a long log takes more than twice as long.
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
