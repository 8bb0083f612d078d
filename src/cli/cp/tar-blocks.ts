/** The blocks of tar archives in the format of POSIX (ustar), with the extensions of GNU and pax that `tar` writes. */

/** The size of a block: heads are one block, and contents are filled up to a multiple of it. */
export const BLOCK_BYTES = 512;

/** What a head says about the entry that follows. */
export interface TarHead {
	readonly name: string;
	/** The permissions. */
	readonly mode: number;
	readonly size: number;
	/** Seconds since the epoch. */
	readonly modified: number;
	/** One character: `0` or NUL a file, `5` a folder, `1` and `2` links, `L` and `x` long names of the next entry. */
	readonly type: string;
}

/** The head of an entry with a name of at most 100 bytes. */
export function headBlock({ name, mode, size, modified, type }: TarHead): Buffer {
	const block = Buffer.alloc(BLOCK_BYTES);
	block.write(name, 0, 100);
	block.write(octal(mode & 0o7777, 7), 100);
	block.write(octal(0, 7), 108);
	block.write(octal(0, 7), 116);
	block.write(octal(size, 11), 124);
	block.write(octal(Math.max(0, Math.floor(modified)), 11), 136);
	block.write(type, 156);
	block.write('ustar\u000000', 257);
	block.write(`${octal(sumOf(block), 6)}\0 `, 148);
	return block;
}

/** The head in a block; undefined for the empty block at the end of an archive. Throws a TarError. */
export function headOf(block: Buffer): TarHead | undefined {
	if (block.every((byte) => byte === 0)) return undefined;
	if (numberAt(block, 148, 8) !== sumOf(block)) throw new TarError('a head has a wrong checksum');
	const prefix = block.toString('latin1', 257, 262) === 'ustar' ? textAt(block, 345, 155) : '';
	const name = textAt(block, 0, 100);
	return {
		name: prefix === '' ? name : `${prefix}/${name}`,
		mode: numberAt(block, 100, 8) & 0o7777,
		size: numberAt(block, 124, 12),
		modified: numberAt(block, 136, 12),
		type: String.fromCharCode(block[156] ?? 0),
	};
}

/** How many bytes fill the content of an entry up to whole blocks. */
export function fillBytes(size: number): number {
	return (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;
}

/** The archive is damaged, or contains what this program does not read. */
export class TarError extends Error {
	override readonly name = 'TarError';
}

function octal(value: number, digits: number): string {
	return value.toString(8).padStart(digits, '0');
}

/** The sum of all bytes, in which the checksum itself counts as spaces. */
function sumOf(block: Buffer): number {
	let sum = 8 * 0x20;
	for (const [index, byte] of block.entries()) if (index < 148 || index >= 156) sum += byte;
	return sum;
}

function textAt(block: Buffer, at: number, length: number): string {
	const field = block.subarray(at, at + length);
	const end = field.indexOf(0);
	return field.toString('utf8', 0, end < 0 ? length : end);
}

function numberAt(block: Buffer, at: number, length: number): number {
	// GNU tar writes numbers that are too large for octal digits as bytes, marked by the highest bit.
	if ((block[at] ?? 0) & 0x80) return Number(block.readBigUInt64BE(at + length - 8));
	const text = textAt(block, at, length).trim();
	if (!/^[0-7]*$/.test(text)) throw new TarError('a number in a head is not octal');
	return text === '' ? 0 : Number.parseInt(text, 8);
}
