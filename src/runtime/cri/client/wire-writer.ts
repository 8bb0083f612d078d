/** Writes protobuf's wire format; api/protobuf/wire-reader.ts reads it. */
import { DELIMITED, VARINT } from '../../../api/protobuf/wire-reader.ts';

/** A message that is being written. */
export class WireWriter {
	readonly #parts: Uint8Array[] = [];

	/** Writes a field that is an integer, negative ones as 64 bits in two's complement, as int32 and int64 have them. */
	integer(number: number, value: number): void {
		this.#varint(number * 8 + VARINT);
		this.#varint(value);
	}

	/** Writes a field that is a text, bytes or a message. */
	delimited(number: number, bytes: Uint8Array): void {
		this.#varint(number * 8 + DELIMITED);
		this.#varint(bytes.length);
		this.#parts.push(bytes);
	}

	/** Writes a field that is a list of integers. */
	packed(number: number, values: readonly number[]): void {
		const list = new WireWriter();
		for (const value of values) list.#varint(value);
		this.delimited(number, list.bytes());
	}

	/** The message. */
	bytes(): Buffer {
		return Buffer.concat(this.#parts);
	}

	#varint(value: number): void {
		const bytes: number[] = [];
		let rest = value < 0 ? BigInt.asUintN(64, BigInt(value)) : BigInt(value);
		for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
		bytes.push(Number(rest));
		this.#parts.push(Uint8Array.from(bytes));
	}
}
