import type { Int64 } from '../../base/json.ts';

/**
 * Reads protobuf's wire format: a message is a row of fields, each with a number and a value in one of
 * six forms. What a field means is not known here (see message.ts). Errors have the texts of the
 * decoders that gogo/protobuf makes, which upstream runs on.
 *
 * Invariants:
 * 1. Nothing beyond the bytes, or the end of the message that is being read, is ever looked at.
 * 2. Each call moves on or throws, and skipping a group takes no stack: input of n bytes ends in O(n).
 *
 * Libraries were tried and left: `@bufbuild/protobuf` is 2.9 MB on disk and takes 9 ms of the first
 * request, `protobufjs` 4 MB and 7 ms. Each would stand in for this file only, since their decoding of
 * messages knows neither our schemas nor upstream's texts.
 */

/** The bytes are not what they should be. */
export class WireError extends Error {
	override readonly name = 'WireError';
	readonly #problem: string;
	readonly #path: string;

	constructor(problem: string, path = '') {
		super(path === '' ? problem : `${problem} for field ${path}`);
		this.#problem = problem;
		this.#path = path;
	}

	/** The same error, seen from the message around the one it is in. */
	inField(name: string): WireError {
		return new WireError(this.#problem, this.#path === '' ? name : `${name}.${this.#path}`);
	}
}

/** The bytes hold more parts than the reader takes. */
export class WireLimitError extends Error {
	override readonly name = 'WireLimitError';
}

/** The form of numbers and booleans. */
export const VARINT = 0;
/** The form of text, bytes and messages: a length and so many bytes. */
export const DELIMITED = 2;

// Forms that none of our messages uses. They are only skipped.
const FIXED64 = 1;
const GROUP = 3;
const GROUP_END = 4;
const FIXED32 = 5;

/** A field's number and the form of its value. */
export interface Tag {
	readonly number: number;
	readonly form: number;
}

/** A place in a message. */
export class WireReader {
	readonly #bytes: Uint8Array;
	#at = 0;
	#end: number;
	/** The varint read last, as two halves of 32 bits: one value of 64 bits would be a bigint. */
	#low = 0;
	#high = 0;
	#partsLeft: number;

	/** Of tags, lengths and numbers together it takes at most `parts`; then it throws a {@link WireLimitError}. */
	constructor(bytes: Uint8Array, parts = Number.POSITIVE_INFINITY) {
		this.#bytes = bytes;
		this.#partsLeft = parts;
		this.#end = bytes.length;
	}

	/** Whether the message is at its end. */
	get done(): boolean {
		return this.#at >= this.#end;
	}

	/** The next field. */
	tag(): Tag {
		this.#readVarint();
		const number = (this.#low >>> 3) | (this.#high << 29);
		const form = this.#low & 7;
		if (form === GROUP_END) throw new WireError('proto: wiretype end group for non-group');
		if (number <= 0) throw new WireError(`proto: illegal tag ${number} (wire type ${form})`);
		return { number, form };
	}

	/** A number of 32 bits; of a longer one the upper half is cut off, as Go does. */
	int32(): number {
		this.#readVarint();
		return this.#low;
	}

	/** A number of 64 bits, exact. */
	int64(): Int64 {
		const number = this.#wholeNumber();
		if (Number.isSafeInteger(number)) return number;
		return (BigInt(this.#high) << 32n) | BigInt(this.#low >>> 0);
	}

	/** The next number of 64 bits as a double. */
	#wholeNumber(): number {
		this.#readVarint();
		return this.#high * 2 ** 32 + (this.#low >>> 0);
	}

	/** True or false; any number but 0 is true. */
	bool(): boolean {
		this.#readVarint();
		return this.#low !== 0 || this.#high !== 0;
	}

	/** The bytes of a delimited value, shared with the input. */
	bytes(): Uint8Array {
		const end = this.#delimitedEnd();
		const bytes = this.#bytes.subarray(this.#at, end);
		this.#at = end;
		return bytes;
	}

	/** The text of a delimited value. Upstream takes bytes that are no UTF-8 too; JSON could not hold them. */
	text(): string {
		try {
			return UTF8.decode(this.bytes());
		} catch (error) {
			if (error instanceof TypeError) throw new WireError('proto: invalid UTF-8');
			throw error;
		}
	}

	/** Calls `read`, for which the message ends where the delimited value does; it must read all of it. */
	message(read: () => void): void {
		const outer = this.#end;
		this.#end = this.#delimitedEnd();
		read();
		this.#end = outer;
	}

	/** Passes over a value. */
	skip(form: number): void {
		let depth = 0;
		let skipped = form;
		do {
			if (skipped === GROUP) depth++;
			else if (skipped === GROUP_END) depth--;
			else this.#skipValue(skipped);
			if (depth > 0) {
				this.#readVarint();
				skipped = this.#low & 7;
			}
		} while (depth > 0);
	}

	#skipValue(form: number): void {
		if (form === VARINT) this.#readVarint();
		else if (form === DELIMITED) this.#at = this.#delimitedEnd();
		else if (form === FIXED64) this.#advance(8);
		else if (form === FIXED32) this.#advance(4);
		else throw new WireError(`proto: illegal wireType ${form}`);
	}

	#advance(count: number): void {
		if (this.#at + count > this.#end) throw truncated();
		this.#at += count;
	}

	/** Where the delimited value ends whose length comes next. */
	#delimitedEnd(): number {
		const length = this.#wholeNumber();
		if (length < 0) throw new WireError('proto: negative length found during unmarshaling');
		if (length > this.#end - this.#at) throw truncated();
		return this.#at + length;
	}

	#readVarint(): void {
		this.#partsLeft -= 1;
		if (this.#partsLeft < 0) throw new WireLimitError('too many parts');
		let low = 0;
		let high = 0;
		for (let shift = 0; shift < 64; shift += 7) {
			if (this.#at >= this.#end) throw truncated();
			const byte = this.#bytes[this.#at++] ?? 0;
			const bits = byte & 0x7f;
			if (shift < 32) low |= bits << shift;
			if (shift > 28) high |= bits << (shift - 32);
			else if (shift === 28) high |= bits >>> 4;
			if (byte < 0x80) {
				this.#low = low;
				this.#high = high;
				return;
			}
		}
		throw new WireError('proto: integer overflow');
	}
}

/** Keeps a byte order mark, which is text like any other here. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function truncated(): WireError {
	return new WireError('unexpected EOF');
}
