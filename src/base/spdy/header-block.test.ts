import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDeflate, createInflate, type Deflate, type Inflate, constants as zlib } from 'node:zlib';
import fc from 'fast-check';
import { nextTurn } from '../turn.ts';
import { spdyDictionary } from './dictionary.ts';
import { HeaderDeflater, HeaderInflater, MAX_HEADER_BYTES, SpdyError } from './header-block.ts';

const PORT = new Map([
	['port', '8080'],
	['requestid', '17'],
	['streamtype', 'error'],
]);

test('the dictionary is that of the specification', () => {
	const words = spdyDictionary();
	assert.equal(words.length, 1423);
	assert.equal(words.subarray(0, 11).toString('latin1'), '\0\0\0\x07options');
	assert.ok(words.toString('latin1').endsWith('charset=utf-8charset=iso-8859-1,utf-,*,enq=0.'));
});

test('blocks that a peer compresses as one stream, with the dictionary, are read one by one', async () => {
	const peer = createDeflate({ dictionary: spdyDictionary() });
	const inflater = new HeaderInflater();
	for (let round = 0; round < 400; round += 1) {
		const headers = new Map([...PORT, ['round', `${round} ${'x'.repeat(round)}`]]);
		assert.deepEqual(inflater.read(await flushed(peer, plainBlock(headers))), headers, String(round));
	}
	peer.destroy();
});

test('a peer reads the blocks that are written, as one stream', async () => {
	const peer = createInflate({ dictionary: spdyDictionary() });
	const deflater = new HeaderDeflater();
	for (const headers of [PORT, new Map(), PORT]) {
		assert.deepEqual(await flushed(peer, deflater.write(headers)), plainBlock(headers));
	}
	peer.destroy();
});

test('a block that becomes too long, and one that is damaged, is an error', async () => {
	const bomb = createDeflate({ dictionary: spdyDictionary() });
	const block = await flushed(bomb, plainBlock(new Map([['a', 'x'.repeat(MAX_HEADER_BYTES)]])));
	assert.ok(block.length < 200);
	assert.throws(() => new HeaderInflater().read(block), SpdyError);
	const twice = plainBlock(PORT);
	twice.writeUInt32BE(4);
	const text = Buffer.concat([twice, plainBlock(new Map([['port', '1']])).subarray(4)]);
	assert.throws(() => new HeaderInflater().read(storedBlock(text)), SpdyError);
	assert.throws(
		() => new HeaderInflater().read(storedBlock(plainBlock(new Map([['Port', '1']])))),
		SpdyError,
	);
});

test('any bytes are headers or a SpdyError', () => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, isStored) => {
			try {
				new HeaderInflater().read(isStored ? storedBlock(bytes) : bytes);
			} catch (error) {
				assert.ok(error instanceof SpdyError, String(error));
			}
		}),
	);
});

/** What the stream makes of the bytes, up to a sync flush. */
async function flushed(stream: Deflate | Inflate, bytes: Uint8Array): Promise<Buffer> {
	const pieces: Buffer[] = [];
	const note = (piece: Buffer): void => void pieces.push(piece);
	stream.on('data', note);
	await new Promise<void>((resolve) => void stream.write(bytes, () => resolve()));
	await new Promise<void>((resolve) => stream.flush(zlib.Z_SYNC_FLUSH, resolve));
	await nextTurn();
	stream.off('data', note);
	return Buffer.concat(pieces);
}

/** The headers before their compression. */
function plainBlock(headers: ReadonlyMap<string, string>): Buffer {
	// After the head of the zlib stream and that of a stored block, before an empty block.
	return Buffer.from(new HeaderDeflater().write(headers)).subarray(7, -5);
}

/** A first block with this content. */
function storedBlock(content: Uint8Array): Uint8Array {
	const head = Buffer.alloc(7);
	head.set([0x78, 0x01, 0]);
	head.writeUInt16LE(content.length, 3);
	head.writeUInt16LE(~content.length & 0xffff, 5);
	return Buffer.concat([head, content, Uint8Array.of(0, 0, 0, 0xff, 0xff)]);
}
