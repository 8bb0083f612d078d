import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PodSandboxConfig } from './cri-messages.ts';
import {
	decodeMessage,
	encodeMessage,
	flag,
	integer,
	integers,
	message,
	messages,
	text,
	textMap,
	texts,
} from './message.ts';

const INNER = { name: text(1), count: integer(2) };
const ALL = {
	text: text(1),
	integer: integer(2),
	flag: flag(3),
	inner: message(4, INNER),
	texts: texts(5),
	integers: integers(6),
	messages: messages(7, INNER),
	map: textMap(200),
};

test('a message that was written is read as it was given', () => {
	const plain = { noNullPrototype: true } as const;
	const whole = fc.maxSafeInteger();
	const inner = fc.record({ name: fc.string({ unit: 'grapheme' }), count: whole }, plain);
	const key = fc.string().filter((each) => each !== '__proto__');
	const given = fc.record(
		{
			...{ text: fc.string(), integer: whole, flag: fc.boolean(), inner, texts: fc.array(fc.string()) },
			...{
				integers: fc.array(whole),
				messages: fc.array(inner),
				map: fc.dictionary(key, fc.string(), plain),
			},
		},
		plain,
	);
	fc.assert(
		fc.property(given, (value) => assert.deepEqual(decodeMessage(ALL, encodeMessage(ALL, value)), value)),
	);
});

test('the bytes are those of protobuf', () => {
	const bytes = (value: Parameters<typeof encodeMessage<typeof ALL>>[1]): string =>
		encodeMessage(ALL, value).toString('hex');
	assert.equal(bytes({ text: 'testing' }), '0a0774657374696e67');
	assert.equal(bytes({ integer: 150 }), '109601');
	// The default quota for no limit is -1, which int64 has in ten bytes.
	assert.equal(bytes({ integer: -1 }), '10ffffffffffffffffff01');
	assert.equal(bytes({ integers: [3, 270, 86_942] }), '3206038e029ea705');
	assert.equal(bytes({ map: { a: 'b' } }), 'c20c060a016112' + '0162');
});

test('defaults are not written, but empty messages are, and unknown fields are skipped', () => {
	assert.equal(encodeMessage(ALL, { text: '', integer: 0, flag: false, integers: [] }).length, 0);
	assert.deepEqual(decodeMessage(ALL, encodeMessage(ALL, { inner: {} })).inner, { name: '', count: 0 });
	const { text: one } = decodeMessage(
		{ text: ALL.text },
		encodeMessage(ALL, { texts: ['x'], text: 'y', map: { a: 'b' } }),
	);
	assert.equal(one, 'y');
	assert.equal(decodeMessage(ALL, Buffer.alloc(0)).inner, undefined);
});

test('a time in nanoseconds is read to the millisecond', () => {
	const { createdAt } = decodeMessage(
		{ createdAt: integer(1) },
		encodeMessage({ createdAt: integer(1) }, { createdAt: 1_795_994_546_231_875_600 }),
	);
	assert.equal(Math.floor(createdAt / 1e6), 1_795_994_546_231);
});

test('the configuration of a sandbox survives as the text of an annotation', () => {
	const config = { linux: { securityContext: { supplementalGroups: [77, 5000] }, sysctls: { a: '1' } } };
	const read = decodeMessage(
		PodSandboxConfig,
		Buffer.from(encodeMessage(PodSandboxConfig, config).toString('base64'), 'base64'),
	);
	assert.deepEqual(read.linux?.securityContext?.supplementalGroups, [77, 5000]);
});
