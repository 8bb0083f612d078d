import { LayerError } from './layer-error.ts';

/** The 512-byte header of a tar entry: V7, POSIX ustar and GNU. Extension headers are in pax-records.ts. */

/** The size of a block: headers and contents are padded to it. */
export const TAR_BLOCK = 512;

/** The fields of a header as they stand in it. Names are byte strings. */
export interface TarHeader {
	readonly name: string;
	readonly mode: number;
	readonly uid: number;
	readonly gid: number;
	readonly size: number;
	/** In seconds since the epoch; negative before it. */
	readonly mtime: number;
	/** The type flag, one character; `0` for the NUL of V7. */
	readonly type: string;
	readonly linkName: string;
}

/**
 * Parses a block. Returns undefined for a block of zeros, two of which end an archive. Throws a {@link LayerError}
 * if the checksum is wrong or a number is not one.
 */
export function parseTarHeader(block: Buffer): TarHeader | undefined {
	if (!hasRightChecksum(block)) {
		if (isZero(block)) return undefined;
		throw new LayerError('malformed', 'a tar header has a wrong checksum');
	}
	const flag = block[156] ?? 0;
	const name = text(block, 0, 100);
	// GNU's magic is `ustar  \0`; its headers have times where POSIX has the prefix.
	const isPosix = block.toString('latin1', 257, 263) === 'ustar\0';
	const prefix = isPosix ? text(block, 345, 155) : '';
	return {
		name: prefix === '' ? name : `${prefix}/${name}`,
		mode: number(block, 100, 8),
		uid: positive(number(block, 108, 8), 'an owner'),
		gid: positive(number(block, 116, 8), 'a group'),
		size: positive(number(block, 124, 12), 'a size'),
		mtime: number(block, 136, 12),
		type: flag === 0 ? '0' : String.fromCharCode(flag),
		linkName: text(block, 157, 100),
	};
}

function text(block: Buffer, start: number, length: number): string {
	const end = block.indexOf(0, start);
	return block.toString('latin1', start, end === -1 || end > start + length ? start + length : end);
}

function isZero(block: Buffer): boolean {
	return block.every((byte) => byte === 0);
}

/** The sum of all bytes, with those of the checksum's own field as spaces. Old programs added signed bytes. */
function hasRightChecksum(block: Buffer): boolean {
	let unsigned = 8 * 0x20;
	let high = 0;
	for (let i = 0; i < TAR_BLOCK; i++) {
		if (i === 148) i = 156;
		const byte = block[i] ?? 0;
		unsigned += byte;
		if (byte > 127) high += 256;
	}
	const stored = attemptNumber(block, 148, 8);
	return stored === unsigned || (high > 0 && stored === unsigned - high);
}

function number(block: Buffer, start: number, length: number): number {
	const value = attemptNumber(block, start, length);
	if (value === undefined) throw new LayerError('malformed', 'a tar header has a malformed number');
	return value;
}

function positive(value: number, what: string): number {
	if (value < 0) throw new LayerError('malformed', `a tar header has ${what} below zero`);
	return value;
}

/** Octal digits, ended by a NUL or a space, or GNU's base-256 where they do not suffice. Undefined if malformed. */
function attemptNumber(block: Buffer, start: number, length: number): number | undefined {
	const first = block[start] ?? 0;
	if ((first & 0x80) !== 0) return base256(block, start, length);
	let at = start;
	const end = start + length;
	while (at < end && block[at] === 0x20) at++;
	let value = 0;
	for (; at < end; at++) {
		const byte = block[at] ?? 0;
		if (byte === 0 || byte === 0x20) break;
		if (byte < 0x30 || byte > 0x37) return undefined;
		value = value * 8 + (byte - 0x30);
	}
	return Number.isSafeInteger(value) ? value : undefined;
}

/** A big-endian two's complement number of `length` bytes, whose top bit is the mark and not part of it. */
function base256(block: Buffer, start: number, length: number): number | undefined {
	const first = block[start] ?? 0;
	const isNegative = (first & 0x40) !== 0;
	let value = BigInt(isNegative ? (first | 0x80) - 256 : first & 0x7f);
	for (let i = 1; i < length; i++) value = value * 256n + BigInt(block[start + i] ?? 0);
	const asNumber = Number(value);
	return Number.isSafeInteger(asNumber) ? asNumber : undefined;
}
