/**
 * Encodes ASN.1 values in DER, the encoding of certificates (ITU-T X.690), and splits encoded values into
 * their parts. A value is represented by its bytes: tag, length, content. Only the types that certificates
 * need are here, because a package for all of ASN.1 would be a large dependency for one certificate.
 */

/** The universal tags that certificates use. */
const TAG = {
	boolean: 0x01,
	integer: 0x02,
	bitString: 0x03,
	octetString: 0x04,
	objectIdentifier: 0x06,
	utf8String: 0x0c,
	utcTime: 0x17,
	generalizedTime: 0x18,
	sequence: 0x30,
	set: 0x31,
} as const;

/** A value with the tag `tag` whose content is the concatenation of `parts`. */
export function derValue(tag: number, ...parts: readonly Uint8Array[]): Buffer {
	const content = Buffer.concat(parts);
	return Buffer.concat([Buffer.from([tag, ...lengthOctets(content.length)]), content]);
}

/** A SEQUENCE of `parts`. */
export function derSequence(...parts: readonly Uint8Array[]): Buffer {
	return derValue(TAG.sequence, ...parts);
}

/** A SET with one element. DER requires the elements of a larger SET to be sorted, which this does not do. */
export function derSet(part: Uint8Array): Buffer {
	return derValue(TAG.set, part);
}

/**
 * The BOOLEAN TRUE. There is no FALSE: DER omits a value that equals its default, and FALSE is the default of
 * every BOOLEAN in a certificate.
 */
export function derTrue(): Buffer {
	return derValue(TAG.boolean, Buffer.from([0xff]));
}

/**
 * A non-negative INTEGER from its big-endian bytes. Leading zeros are removed, as DER requires; one is added
 * if the first bit is set, since that bit would make the number negative.
 */
export function derInteger(bigEndian: Uint8Array): Buffer {
	const first = bigEndian.findIndex((byte) => byte !== 0);
	const bytes = first < 0 ? Buffer.from([0]) : bigEndian.subarray(first);
	const sign = (bytes[0] ?? 0) >= 0x80 ? [Buffer.from([0])] : [];
	return derValue(TAG.integer, ...sign, bytes);
}

/** A BIT STRING without the last `unused` bits of its last byte. */
export function derBitString(bytes: Uint8Array, unused = 0): Buffer {
	return derValue(TAG.bitString, Buffer.from([unused]), bytes);
}

/** An OCTET STRING. */
export function derOctetString(bytes: Uint8Array): Buffer {
	return derValue(TAG.octetString, bytes);
}

/** An OBJECT IDENTIFIER from its dotted form, such as `2.5.29.17`. */
export function derObjectIdentifier(dotted: string): Buffer {
	const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
	return derValue(TAG.objectIdentifier, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** A UTF8String. */
export function derText(text: string): Buffer {
	return derValue(TAG.utf8String, Buffer.from(text, 'utf8'));
}

/**
 * An instant in milliseconds since the epoch, encoded in whole seconds in the type that RFC 5280, 4.1.2.5
 * requires: UTCTime until 2049, GeneralizedTime from 2050.
 */
export function derTime(ms: number): Buffer {
	const digits = `${new Date(ms).toISOString().slice(0, 19).replace(/\D/g, '')}Z`;
	const year = Number(digits.slice(0, 4));
	return year < 2050
		? derValue(TAG.utcTime, Buffer.from(digits.slice(2), 'latin1'))
		: derValue(TAG.generalizedTime, Buffer.from(digits, 'latin1'));
}

/** A decoded value. */
export interface DerPart {
	readonly tag: number;
	/** The whole value, with tag and length. */
	readonly bytes: Uint8Array;
	readonly content: Uint8Array;
}

/**
 * The consecutive values in `bytes`; given the content of a SEQUENCE, its elements. Throws a RangeError if
 * `bytes` ends inside a value.
 */
export function derParts(bytes: Uint8Array): readonly DerPart[] {
	const parts: DerPart[] = [];
	for (let at = 0; at < bytes.length; ) {
		const { content, end } = extentAt(bytes, at);
		parts.push({
			tag: bytes[at] ?? 0,
			bytes: bytes.subarray(at, end),
			content: bytes.subarray(content, end),
		});
		at = end;
	}
	return parts;
}

function extentAt(bytes: Uint8Array, at: number): { readonly content: number; readonly end: number } {
	const first = bytes[at + 1] ?? 0;
	const lengthBytes = first < 0x80 ? 0 : first - 0x80;
	const content = at + 2 + lengthBytes;
	const length =
		first < 0x80 ? first : bytes.subarray(at + 2, content).reduce((sum, byte) => sum * 256 + byte, 0);
	if (content + length > bytes.length) throw new RangeError('the DER data ends inside a value');
	return { content, end: content + length };
}

function lengthOctets(length: number): readonly number[] {
	if (length < 0x80) return [length];
	const bytes: number[] = [];
	for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
	return [0x80 + bytes.length, ...bytes];
}

/** The base-128 encoding of an arc: groups of seven bits, with the eighth bit set in all but the last. */
function base128(value: number): readonly number[] {
	const groups = [value % 128];
	for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
		groups.unshift(0x80 + (rest % 128));
	}
	return groups;
}
