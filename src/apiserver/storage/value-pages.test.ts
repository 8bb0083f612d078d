import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { FreshValues, ValuePages } from './value-pages.ts';

let expansions = 0;

function pages(): ValuePages {
	expansions = 0;
	return new ValuePages({
		compress: (bytes) => deflateRawSync(bytes),
		expand: (bytes) => {
			expansions += 1;
			return inflateRawSync(bytes);
		},
	});
}

test('a packed value has the bytes that went into its page', () => {
	fc.assert(
		fc.property(fc.array(fc.uint8Array()), fc.infiniteStream(fc.nat()), (values, order) => {
			const packed = pages().pack(values);
			assert.deepEqual(
				packed.map(({ length }) => length),
				values.map(({ length }) => length),
			);
			for (const index of order.take(values.length)) {
				const at = index % values.length;
				assert.deepEqual(Buffer.from(packed[at]?.bytes ?? []), Buffer.from(values[at] ?? []));
			}
		}),
	);
});

test('a page keeps no memory beyond its compressed bytes', () => {
	let compressed: Uint8Array | undefined;
	const kept = new ValuePages({
		// Node's compression returns the start of a longer buffer.
		compress: (bytes) => {
			const buffer = new Uint8Array(65_536);
			buffer.set(bytes);
			return buffer.subarray(0, bytes.length);
		},
		expand: (bytes) => {
			compressed = bytes;
			return bytes;
		},
	});
	const [value] = kept.pack([Buffer.from('some value')]);
	assert.equal(Buffer.from(value?.bytes ?? []).toString(), 'some value');
	assert.equal(compressed?.buffer.byteLength, 10);
});

test('values that are read in order expand their page once', () => {
	const some = pages();
	const first = some.pack([Buffer.from('a'), Buffer.from('b')]);
	const second = some.pack([Buffer.from('c')]);
	const text = [...first, ...second].map(({ bytes }) => Buffer.from(bytes).toString()).join('');
	assert.equal(text, 'abc');
	assert.equal(expansions, 2);
});

test('a page is sparse when less than half of its bytes are live', () => {
	const [a, b, c] = pages().pack([Buffer.alloc(40), Buffer.alloc(20), Buffer.alloc(40)]);
	a?.release();
	assert.equal(c?.isInSparsePage, false);
	b?.release();
	assert.equal(c?.isInSparsePage, true);
	assert.equal(a?.bytes.length, 40, 'a released value can still be read');
});

test('fresh values stand side by side, and a large one alone', () => {
	const fresh = new FreshValues();
	const texts = ['a', 'ä€😀', 'x'.repeat(100_000), 'b', 'y'.repeat(60_000)];
	const values = [...texts, ...texts, ...texts].map((text) => fresh.write(text));
	for (const [index, value] of values.entries()) {
		assert.equal(Buffer.from(value).toString(), texts[index % texts.length]);
	}
	assert.equal(values[0]?.buffer, values[3]?.buffer);
	assert.equal(values[2]?.buffer.byteLength, 100_000);
});
