/** The longest text of one line in a log; what is longer is cut into parts. The CRI's usual limit. */
export const LINE_LIMIT_BYTES = 16 * 1024;

/** Whole lines of a log, parts of lines among them. */
export interface LogBytes {
	readonly bytes: Uint8Array;
	/** How many lines end in them. */
	readonly lines: number;
}

const NEWLINE = 10;
const NOTHING: LogBytes = { bytes: new Uint8Array(), lines: 0 };

/**
 * Turns what a program writes into lines of a CRI log. The bytes themselves stay as they are, whatever
 * they are: only `\n` has a meaning. Holds back at most {@link LINE_LIMIT_BYTES} of an unfinished line.
 */
export class CriLines {
	readonly #stream: 'stdout' | 'stderr';
	/** Room for the unfinished line, of which the first `#heldBytes` are it. */
	#held = Buffer.alloc(0);
	#heldBytes = 0;

	constructor(stream: 'stdout' | 'stderr') {
		this.#stream = stream;
	}

	/** The lines that `chunk` completes, as bytes of the log; `chunk` may be reused after. */
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

	/** What was held back, as a part of a line; undefined when the last line was whole. */
	end(stamp: () => string): LogBytes | undefined {
		if (this.#heldBytes === 0) return undefined;
		const time = stamp();
		const text = this.#held.subarray(0, this.#heldBytes);
		const out = new LineWriter(this.#header(time, 'F'), this.#header(time, 'P'), text);
		out.part(0, text.length);
		this.#heldBytes = 0;
		return { bytes: out.bytes(), lines: 0 };
	}

	/** Keeps `bytes` for later; the room doubles, so that a line that comes byte by byte costs no more. */
	#hold(bytes: Uint8Array): void {
		const needed = this.#heldBytes + bytes.length;
		if (needed > this.#held.length) {
			const room = Buffer.allocUnsafe(Math.max(needed, this.#held.length * 2));
			room.set(this.#held.subarray(0, this.#heldBytes));
			this.#held = room;
		}
		this.#held.set(bytes, this.#heldBytes);
		this.#heldBytes = needed;
	}

	#header(time: string, tag: 'F' | 'P'): Uint8Array {
		return Buffer.from(`${time} ${this.#stream} ${tag} `, 'latin1');
	}
}

/** Copies stretches of `text` into one buffer that is made large enough from the start. */
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

	/** Writes a finished line, its front parts apart where it is too long. */
	line(start: number, end: number): void {
		this.#write(this.#full, this.parts(start, end), end);
	}

	/** Writes the front parts of an unfinished line and tells where the rest begins. */
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
