import { spdyDictionary } from './dictionary.ts';

/** The peer has violated the protocol. The owner closes the connection. */
export class SpdyError extends Error {
	override readonly name = 'SpdyError';
}

/** Names in lower case, with their values; several values of a name are joined by a NUL. */
export type SpdyHeaders = ReadonlyMap<string, string>;

/** Maximum size of a header block, compressed or not. Those of Kubernetes' clients have about 100 bytes. */
export const MAX_HEADER_BYTES = 16 * 1024;

/** How far back compressed data may refer, by the format. */
const WINDOW_BYTES = 32 * 1024;

/** The head of a zlib stream: deflate with a window of 32 KiB, the fastest compression, without a dictionary. */
const PLAIN_HEAD = Uint8Array.of(0x78, 0x01);

/** The flag in the second byte of a zlib stream that says that the id of a preset dictionary follows. */
const HAS_DICTIONARY = 0x20;

/**
 * Decompresses the header blocks that a peer sends. All blocks of a connection are one zlib stream, of which each block
 * is a part that ends with a sync flush, so at a byte boundary.
 *
 * Node has no synchronous inflate that keeps its state, and an asynchronous one would need a queue of frames and a
 * thread for each block. Instead each block is decompressed by itself, with the output before it as its dictionary.
 */
export class HeaderInflater {
	#window: Buffer | undefined;

	/** The headers in the next block. Throws a SpdyError. */
	read(block: Uint8Array): SpdyHeaders {
		const isFirst = this.#window === undefined;
		const start = isFirst ? headBytes(block) : 0;
		const dictionary = this.#window ?? spdyDictionary();
		const text = inflated(block.subarray(start), dictionary);
		this.#window = Buffer.concat([dictionary, text]).subarray(-WINDOW_BYTES);
		return headersOf(text);
	}
}

/** Makes the header blocks for a peer. They are not compressed: they are few, and compression would leak their content. */
export class HeaderDeflater {
	#isFirst = true;

	/** The next block. The headers must be at most {@link MAX_HEADER_BYTES} long. */
	write(headers: SpdyHeaders): Uint8Array {
		const text = bytesOf(headers);
		const head = this.#isFirst ? PLAIN_HEAD : new Uint8Array();
		this.#isFirst = false;
		// The empty block at the end is the sync flush.
		return Buffer.concat([head, stored(text), stored(new Uint8Array())]);
	}
}

/** The length of the head of a zlib stream. */
function headBytes(block: Uint8Array): number {
	const [method = 0, flags = 0] = block;
	if ((method & 0x0f) !== 8 || (method * 256 + flags) % 31 !== 0)
		throw new SpdyError('a header block is not compressed by zlib');
	return flags & HAS_DICTIONARY ? 6 : 2;
}

function inflated(bytes: Uint8Array, dictionary: Buffer): Buffer {
	// Loaded at the first session: an import would be part of each start.
	const { inflateRawSync, constants: zlib } = process.getBuiltinModule('node:zlib');
	try {
		return inflateRawSync(bytes, {
			dictionary,
			finishFlush: zlib.Z_SYNC_FLUSH,
			maxOutputLength: MAX_HEADER_BYTES,
		});
	} catch {
		throw new SpdyError('a header block cannot be decompressed, or is too long');
	}
}

/** A block of deflate that is not compressed. */
function stored(bytes: Uint8Array): Uint8Array {
	const head = Buffer.alloc(5);
	head.writeUInt16LE(bytes.length, 1);
	head.writeUInt16LE(~bytes.length & 0xffff, 3);
	return Buffer.concat([head, bytes]);
}

function bytesOf(headers: SpdyHeaders): Buffer {
	const pieces = [lengthBytes(headers.size)];
	for (const text of [...headers].flat()) {
		const bytes = Buffer.from(text);
		pieces.push(lengthBytes(bytes.length), bytes);
	}
	return Buffer.concat(pieces);
}

function lengthBytes(length: number): Buffer {
	const bytes = Buffer.alloc(4);
	bytes.writeUInt32BE(length);
	return bytes;
}

function headersOf(block: Buffer): SpdyHeaders {
	let at = 0;
	const number = (): number => {
		if (at + 4 > block.length) throw new SpdyError('a header block is cut off');
		at += 4;
		return block.readUInt32BE(at - 4);
	};
	const text = (): string => {
		const end = number() + at;
		if (end > block.length) throw new SpdyError('a header block is cut off');
		const value = block.toString('utf8', at, end);
		at = end;
		return value;
	};
	const headers = new Map<string, string>();
	for (let count = number(); count > 0; count -= 1) {
		const name = text();
		if (name === '' || name !== name.toLowerCase() || headers.has(name))
			throw new SpdyError('a header has no name, an upper-case name, or occurs twice');
		headers.set(name, text());
	}
	return headers;
}
