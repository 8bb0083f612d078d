/**
 * ASN.1 values in DER, the encoding of certificates (ITU-T X.690): what it takes to write one and to find
 * the parts of one that was read. A value is its bytes: tag, length, content.
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

/** A value of tag `tag` whose content is `parts`, one after the other. */
export function derValue(tag: number, ...parts: readonly Uint8Array[]): Buffer {
	const content = Buffer.concat(parts);
	return Buffer.concat([Buffer.from([tag, ...lengthOctets(content.length)]), content]);
}

/** A SEQUENCE of `parts`. */
export function derSequence(...parts: readonly Uint8Array[]): Buffer {
	return derValue(TAG.sequence, ...parts);
}

/** A SET of one part; a SET of several would have to be sorted. */
export function derSet(part: Uint8Array): Buffer {
	return derValue(TAG.set, part);
}

/** A BOOLEAN that is TRUE. DER leaves out one that has its default, and FALSE is the default everywhere here. */
export function derTrue(): Buffer {
	return derValue(TAG.boolean, Buffer.from([0xff]));
}

/** An INTEGER that is not negative, from its big-endian bytes: without needless zeros, and with one where it would read as negative. */
export function derInteger(bigEndian: Uint8Array): Buffer {
	const first = bigEndian.findIndex((byte) => byte !== 0);
	const bytes = first < 0 ? Buffer.from([0]) : bigEndian.subarray(first);
	const sign = (bytes[0] ?? 0) >= 0x80 ? [Buffer.from([0])] : [];
	return derValue(TAG.integer, ...sign, bytes);
}

/** A BIT STRING; the last `unused` bits of its last byte do not count. */
export function derBitString(bytes: Uint8Array, unused = 0): Buffer {
	return derValue(TAG.bitString, Buffer.from([unused]), bytes);
}

/** An OCTET STRING. */
export function derOctetString(bytes: Uint8Array): Buffer {
	return derValue(TAG.octetString, bytes);
}

/** An OBJECT IDENTIFIER, from its dotted form. */
export function derObjectIdentifier(dotted: string): Buffer {
	const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
	return derValue(TAG.objectIdentifier, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** A UTF8String. */
export function derText(text: string): Buffer {
	return derValue(TAG.utf8String, Buffer.from(text, 'utf8'));
}

/** An instant in whole seconds, as certificates must say it (RFC 5280, 4.1.2.5): UTCTime until 2049, then GeneralizedTime. */
export function derTime(ms: number): Buffer {
	const digits = `${new Date(ms).toISOString().slice(0, 19).replace(/\D/g, '')}Z`;
	const year = Number(digits.slice(0, 4));
	return year < 2050
		? derValue(TAG.utcTime, Buffer.from(digits.slice(2), 'latin1'))
		: derValue(TAG.generalizedTime, Buffer.from(digits, 'latin1'));
}

/** A value that was read. */
export interface DerPart {
	readonly tag: number;
	/** The value whole, with tag and length. */
	readonly bytes: Uint8Array;
	readonly content: Uint8Array;
}

/** The values in `bytes`, one after the other; the content of a SEQUENCE gives its parts. Throws a RangeError for bytes that end within a value. */
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
	if (content + length > bytes.length) throw new RangeError('a DER value ends before its end');
	return { content, end: content + length };
}

function lengthOctets(length: number): readonly number[] {
	if (length < 0x80) return [length];
	const bytes: number[] = [];
	for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
	return [0x80 + bytes.length, ...bytes];
}

/** A number in groups of seven bits, all but the last marked by the eighth. */
function base128(value: number): readonly number[] {
	const groups = [value % 128];
	for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
		groups.unshift(0x80 + (rest % 128));
	}
	return groups;
}
