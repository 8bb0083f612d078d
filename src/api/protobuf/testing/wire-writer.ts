/** Encodes protobuf messages, for tests only. A message is the concatenation of its fields. */

import { DELIMITED, VARINT } from '../wire-reader.ts';

/** A field with an integer or boolean. */
export function numberField(number: number, value: number | bigint): readonly number[] {
	return [...varint(number * 8 + VARINT), ...varint(value)];
}

/** A field with a message or a string. */
export function delimitedField(number: number, value: string | readonly number[]): readonly number[] {
	const bytes = typeof value === 'string' ? [...new TextEncoder().encode(value)] : value;
	return [...varint(number * 8 + DELIMITED), ...varint(bytes.length), ...bytes];
}

/** A message in the envelope that names its kind (see envelope.ts). */
export function enveloped(apiVersion: string, kind: string, message: readonly number[]): Uint8Array {
	const typeMeta = [...delimitedField(1, apiVersion), ...delimitedField(2, kind)];
	const magic = [0x6b, 0x38, 0x73, 0];
	return Uint8Array.from([
		...magic,
		...delimitedField(1, typeMeta),
		...delimitedField(2, message),
		...delimitedField(3, ''),
		...delimitedField(4, ''),
	]);
}

/** A varint: seven bits a byte, the lowest first. A negative number takes ten bytes. */
export function varint(value: number | bigint): readonly number[] {
	const bytes: number[] = [];
	let rest = BigInt.asUintN(64, BigInt(value));
	while (rest >= 0x80n) {
		bytes.push(Number(rest & 0x7fn) | 0x80);
		rest >>= 7n;
	}
	return [...bytes, Number(rest)];
}
