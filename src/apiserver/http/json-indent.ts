/**
 * Indents JSON for people by two spaces, as Go's json.Indent does. It works on bytes, one piece at a time: a
 * response of any length is indented without parsing it again, and numbers keep all their digits.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const SPACE = 0x20;
const NEWLINE = 0x0a;
const OPEN = new Set([0x7b, 0x5b]);
const CLOSE = new Set([0x7d, 0x5d]);
const BLANKS = new Set([SPACE, NEWLINE, 0x09, 0x0d]);

/** Maximum input of one piece. An object of 3 MB would block the event loop for 60 ms. */
const PIECE_BYTES = 256 * 1024;

/**
 * Yields the JSON with line breaks and indentation, and a line break at the end. The input pieces may be cut
 * at any byte; large ones are split.
 */
export function* indented(pieces: Iterable<Uint8Array>): Iterable<Uint8Array> {
	const indenter = new Indenter();
	for (const piece of pieces) {
		for (let start = 0; start < piece.length; start += PIECE_BYTES) {
			yield indenter.indent(piece.subarray(start, start + PIECE_BYTES));
		}
	}
	yield Buffer.from('\n');
}

/**
 * The state of the scan between pieces: inside a string, after a backslash, nesting depth. It never looks
 * ahead, so a piece may end anywhere.
 */
class Indenter {
	#out = Buffer.allocUnsafe(1024);
	#length = 0;
	#depth = 0;
	#inString = false;
	#escaped = false;
	/** The previous byte opened an object or array. If it is empty, it is written on one line. */
	#opened = false;

	indent(piece: Uint8Array): Uint8Array {
		this.#out = Buffer.allocUnsafe(piece.length * 2 + 64);
		this.#length = 0;
		for (const byte of piece) {
			if (this.#inString) this.#copyInString(byte);
			else if (!BLANKS.has(byte)) this.#copy(byte);
		}
		return this.#out.subarray(0, this.#length);
	}

	#copyInString(byte: number): void {
		this.#put(byte);
		if (this.#escaped) this.#escaped = false;
		else if (byte === BACKSLASH) this.#escaped = true;
		else if (byte === QUOTE) this.#inString = false;
	}

	#copy(byte: number): void {
		if (CLOSE.has(byte)) {
			this.#depth -= 1;
			if (!this.#opened) this.#breakLine();
			this.#opened = false;
			this.#put(byte);
			return;
		}
		if (this.#opened) this.#breakLine();
		this.#opened = OPEN.has(byte);
		this.#put(byte);
		if (this.#opened) this.#depth += 1;
		else if (byte === QUOTE) this.#inString = true;
		else if (byte === COMMA) this.#breakLine();
		else if (byte === COLON) this.#put(SPACE);
	}

	#breakLine(): void {
		this.#put(NEWLINE);
		for (let blanks = 2 * this.#depth; blanks > 0; blanks--) this.#put(SPACE);
	}

	#put(byte: number): void {
		if (this.#length === this.#out.length) {
			const larger = Buffer.allocUnsafe(2 * this.#out.length);
			larger.set(this.#out);
			this.#out = larger;
		}
		this.#out[this.#length++] = byte;
	}
}
