/**
 * Writes the CRI log format, which the node agent's cri-log-parser.ts reads. It computes the size of the result first, so
 * that it copies each byte of a complete line once: containers may write hundreds of MiB per second.
 */

/** Limit on the text of one log entry: a longer line is split into parts. The default of container engines. */
export const LINE_LIMIT_BYTES = 16 * 1024;

/** Complete entries of a log: lines and parts of lines. */
export interface LogBytes {
	readonly bytes: Uint8Array;
	/** Number of lines that end in them; parts do not count. */
	readonly lines: number;
}

const NEWLINE = 10;
const NOTHING: LogBytes = { bytes: new Uint8Array(), lines: 0 };

/**
 * Turns one output stream of a program into entries of a CRI log. The bytes of the text are not changed, and need not
 * be UTF-8: only `\n` has a meaning. Buffers at most {@link LINE_LIMIT_BYTES} of an unfinished line.
 */
export class CriLogWriter {
	readonly #stream: 'stdout' | 'stderr';
	/** The buffer for the unfinished line, of which the first `#heldBytes` bytes are used. */
	#held = Buffer.alloc(0);
	#heldBytes = 0;

	constructor(stream: 'stdout' | 'stderr') {
		this.#stream = stream;
	}

	/** The log entries that `chunk` completes, with the given time. The caller may reuse `chunk` afterwards. */
	push(chunk: Uint8Array, time: string): LogBytes {
		const newline = chunk.indexOf(NEWLINE);
		if (newline === -1 && this.#heldBytes + chunk.length <= LINE_LIMIT_BYTES) {
			this.#hold(chunk);
			return NOTHING;
		}
		const held = this.#held.subarray(0, this.#heldBytes);
		const text = held.length > 0 ? Buffer.concat([held, chunk]) : chunk;
		const out = new LineWriter(this.#header(time, 'F'), this.#header(time, 'P'), text);
		let start = 0;
		let lines = 0;
		for (let end = text.indexOf(NEWLINE); end !== -1; end = text.indexOf(NEWLINE, start)) {
			out.line(start, end);
			start = end + 1;
			lines += 1;
		}
		start = out.parts(start, text.length);
		this.#heldBytes = 0;
		this.#hold(text.subarray(start));
		return { bytes: out.bytes(), lines };
	}

	/** At the end of the stream: the unfinished line as a partial entry; undefined if there is none. */
	end(stamp: () => string): LogBytes | undefined {
		if (this.#heldBytes === 0) return undefined;
		const time = stamp();
		const text = this.#held.subarray(0, this.#heldBytes);
		const out = new LineWriter(this.#header(time, 'F'), this.#header(time, 'P'), text);
		out.part(0, text.length);
		this.#heldBytes = 0;
		return { bytes: out.bytes(), lines: 0 };
	}

	/** Buffers `bytes`. The buffer doubles, so that a line that arrives byte by byte is not copied for each byte. */
	#hold(bytes: Uint8Array): void {
		const needed = this.#heldBytes + bytes.length;
		if (needed > this.#held.length) {
			const larger = Buffer.allocUnsafe(Math.max(needed, this.#held.length * 2));
			larger.set(this.#held.subarray(0, this.#heldBytes));
			this.#held = larger;
		}
		this.#held.set(bytes, this.#heldBytes);
		this.#heldBytes = needed;
	}

	#header(time: string, tag: 'F' | 'P'): Uint8Array {
		return Buffer.from(`${time} ${this.#stream} ${tag} `, 'latin1');
	}
}

/** One entry: a line without its line end (tag F), or a part of a line (P) of at most {@link LINE_LIMIT_BYTES}. */
export function logEntry(
	head: { readonly stream: 'stdout' | 'stderr'; readonly time: string; readonly tag: 'F' | 'P' },
	text: Uint8Array,
): Uint8Array {
	return Buffer.concat([Buffer.from(`${head.time} ${head.stream} ${head.tag} `, 'latin1'), text, LINE_END]);
}

const LINE_END = Buffer.of(NEWLINE);

/** Copies slices of `text`, each with a header and a line end, into one buffer of sufficient size. */
class LineWriter {
	readonly #full: Uint8Array;
	readonly #partial: Uint8Array;
	readonly #text: Uint8Array;
	readonly #out: Buffer;
	#length = 0;

	constructor(full: Uint8Array, partial: Uint8Array, text: Uint8Array) {
		this.#full = full;
		this.#partial = partial;
		this.#text = text;
		const lines = countLines(text) + Math.floor(text.length / LINE_LIMIT_BYTES) + 1;
		this.#out = Buffer.allocUnsafe(text.length + lines * (full.length + 1));
	}

	/** Writes a finished line; an overlong one as partial entries and a full one. */
	line(start: number, end: number): void {
		this.#write(this.#full, this.parts(start, end), end);
	}

	/** Writes partial entries while more than the limit remains; returns the offset of the remaining text. */
	parts(start: number, end: number): number {
		let from = start;
		while (end - from > LINE_LIMIT_BYTES) {
			this.part(from, from + LINE_LIMIT_BYTES);
			from += LINE_LIMIT_BYTES;
		}
		return from;
	}

	part(start: number, end: number): void {
		this.#write(this.#partial, start, end);
	}

	bytes(): Uint8Array {
		return this.#out.subarray(0, this.#length);
	}

	#write(header: Uint8Array, start: number, end: number): void {
		const out = this.#out;
		out.set(header, this.#length);
		const at = this.#length + header.length;
		out.set(this.#text.subarray(start, end), at);
		this.#length = at + end - start + 1;
		out[this.#length - 1] = NEWLINE;
	}
}

function countLines(text: Uint8Array): number {
	let count = 0;
	for (let at = text.indexOf(NEWLINE); at !== -1; at = text.indexOf(NEWLINE, at + 1)) count++;
	return count;
}
