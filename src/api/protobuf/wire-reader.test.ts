import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { int64Of } from '../../base/json/json.ts';
import { delimitedField, numberField, varint } from './testing/wire-writer.ts';
import { DELIMITED, VARINT, WireError, WireLimitError, WireReader } from './wire-reader.ts';

function readerOf(...parts: readonly (readonly number[])[]): WireReader {
	return new WireReader(Uint8Array.from(parts.flat()));
}

test('the reader returns 32-bit and 64-bit integers exactly', () => {
	fc.assert(
		fc.property(
			fc.integer(),
			fc.maxSafeInteger(),
			fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
			(small, large, any) => {
				assert.equal(readerOf(varint(small)).int32(), small);
				assert.equal(readerOf(varint(small)).int64(), small);
				assert.equal(readerOf(varint(large)).int64(), large);
				assert.equal(readerOf(varint(any)).int64(), int64Of(any));
				assert.equal(readerOf(varint(any)).int32(), Number(BigInt.asIntN(32, any)));
				assert.equal(readerOf(varint(any)).bool(), any !== 0n);
			},
		),
	);
});

test('the reader returns text unchanged, with a byte order mark', () => {
	fc.assert(
		fc.property(fc.string({ unit: 'binary' }), (text) => {
			for (const each of [text, `\ufeff${text}`]) {
				const reader = readerOf(delimitedField(3, each));
				assert.deepEqual(reader.tag(), { number: 3, form: 2 });
				assert.equal(reader.text(), each);
				assert.ok(reader.done);
			}
		}),
	);
});

test('a nested message ends at its length, and the enclosing one continues', () => {
	const reader = readerOf(delimitedField(1, numberField(2, 5)), numberField(3, 7));
	reader.tag();
	reader.message(() => {
		assert.deepEqual(reader.tag(), { number: 2, form: 0 });
		assert.equal(reader.int32(), 5);
		assert.ok(reader.done);
	});
	assert.deepEqual(reader.tag(), { number: 3, form: 0 });
});

test('skip() skips a value of any wire type, and groups with their contents', () => {
	const values: readonly (readonly number[])[] = [
		numberField(1, -1),
		[0x09, 1, 2, 3, 4, 5, 6, 7, 8],
		delimitedField(1, 'text'),
		[0x0b, ...numberField(1, 300), 0x13, ...delimitedField(2, 'inner'), 0x14, 0x0c],
		[0x0d, 1, 2, 3, 4],
	];
	for (const value of values) {
		const reader = readerOf(value, numberField(2, 7));
		reader.skip(reader.tag().form);
		assert.deepEqual(reader.tag(), { number: 2, form: 0 });
	}
});

test('skip() does not overflow the stack on a million nested groups', () => {
	const depth = 1_000_000;
	const bytes = new Uint8Array(2 * depth).fill(0x0b, 0, depth).fill(0x0c, depth);
	const reader = new WireReader(bytes);
	reader.skip(reader.tag().form);
	assert.ok(reader.done);
});

test('text() returns short and long texts, and keeps every character', () => {
	for (const text of ['', 'a', '\u007f\0', 'twelve chars', 'thirteen char', 'äöü', 'a\u{1f600}', '\ufeffa']) {
		const bytes = new TextEncoder().encode(text);
		assert.equal(readerOf([bytes.length, ...bytes]).text(), text);
	}
});

test('checkFieldCount() refuses more fields than the limit, and reads nothing', () => {
	const fields = [...numberField(1, 5), ...delimitedField(2, 'a')];
	const reader = new WireReader(Uint8Array.from(fields), 4);
	reader.checkFieldCount();
	assert.deepEqual(reader.tag(), { number: 1, form: VARINT }, 'the same place');
	assert.equal(reader.int32(), 5);
	assert.deepEqual(reader.tag(), { number: 2, form: DELIMITED });
	assert.equal(reader.text(), 'a', 'with the same limit');
	assert.throws(() => new WireReader(Uint8Array.from(fields), 3).checkFieldCount(), WireLimitError);
	new WireReader(Uint8Array.of(0x0a, 5, 1)).checkFieldCount();
});

test("invalid bytes are refused with upstream's messages", () => {
	const skip = (reader: WireReader): void => reader.skip(reader.tag().form);
	const rows: readonly (readonly [
		bytes: readonly number[],
		read: (reader: WireReader) => void,
		text: string,
	])[] = [
		[[], (reader) => reader.tag(), 'unexpected EOF'],
		[[0x80], (reader) => reader.tag(), 'unexpected EOF'],
		[new Array(10).fill(0x80), (reader) => reader.tag(), 'proto: integer overflow'],
		[[0x00], (reader) => reader.tag(), 'proto: illegal tag 0 (wire type 0)'],
		[[0x0c], (reader) => reader.tag(), 'proto: wiretype end group for non-group'],
		[[0x0f], skip, 'proto: illegal wireType 7'],
		[[0x09, 1, 2, 3], skip, 'unexpected EOF'],
		[[0x0d, 1, 2, 3], skip, 'unexpected EOF'],
		[[0x0b, 0x08, 1], skip, 'unexpected EOF'],
		[[0x0a, 5, 1], skip, 'unexpected EOF'],
		[[5, 1], (reader) => reader.text(), 'unexpected EOF'],
		[varint(-1), (reader) => reader.bytes(), 'proto: negative length found during unmarshaling'],
		[varint(2n ** 62n), (reader) => reader.bytes(), 'unexpected EOF'],
		[[2, 0xc3, 0x28], (reader) => reader.text(), 'proto: invalid UTF-8'],
	];
	for (const [bytes, read, message] of rows) {
		assert.throws(() => read(readerOf(bytes)), new WireError(message), `${bytes}`);
	}
	const inner = readerOf([2, 0x0a, 1, 1]);
	assert.throws(
		() => inner.message(() => skip(inner)),
		new WireError('unexpected EOF'),
		'beyond the message',
	);
});
