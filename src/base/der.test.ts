import assert from 'node:assert/strict';
import test from 'node:test';
import {
	derBitString,
	derInteger,
	derObjectIdentifier,
	derOctetString,
	derParts,
	derSequence,
	derSet,
	derText,
	derTime,
	derTrue,
	derValue,
} from './der.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('integers have no needless leading zeros and no sign bit', () => {
	const integer = (digits: string): string => hex(derInteger(Buffer.from(digits, 'hex')));
	assert.equal(integer('00'), '020100');
	assert.equal(integer(''), '020100');
	assert.equal(integer('7f'), '02017f');
	assert.equal(integer('80'), '02020080');
	assert.equal(integer('0000ff01'), '020300ff01');
	assert.equal(integer('00007f01'), '02027f01');
});

test('lengths over 127 take as few bytes as possible', () => {
	assert.equal(hex(derOctetString(Buffer.alloc(127))).slice(0, 4), '047f');
	assert.equal(hex(derOctetString(Buffer.alloc(128))).slice(0, 6), '048180');
	assert.equal(hex(derOctetString(Buffer.alloc(256))).slice(0, 8), '04820100');
	assert.equal(hex(derOctetString(Buffer.alloc(65_536))).slice(0, 10), '0483010000');
});

test('object identifiers combine the first two arcs and encode the others in base 128', () => {
	assert.equal(hex(derObjectIdentifier('1.2.840.10045.4.3.2')), '06082a8648ce3d040302');
	assert.equal(hex(derObjectIdentifier('2.5.29.17')), '0603551d11');
	assert.equal(hex(derObjectIdentifier('1.3.128')), '06032b8100');
});

test('times are UTCTime until 2049 and GeneralizedTime from 2050', () => {
	const text = (ms: number): string => derTime(ms).toString('latin1', 2);
	const last = derTime(Date.UTC(2049, 11, 31, 23, 59, 59, 999));
	assert.equal(last[0], 0x17);
	assert.equal(text(Date.UTC(2049, 11, 31, 23, 59, 59, 999)), '491231235959Z');
	assert.equal(derTime(Date.UTC(2050, 0, 1))[0], 0x18);
	assert.equal(text(Date.UTC(2050, 0, 1)), '20500101000000Z');
	assert.equal(text(Date.UTC(2026, 0, 2, 3, 4, 5)), '260102030405Z');
});

test('booleans, bit strings, texts, sets and custom tags are encoded', () => {
	assert.equal(hex(derTrue()), '0101ff');
	assert.equal(hex(derBitString(Buffer.from([0x06]), 1)), '03020106');
	assert.equal(hex(derText('é')), '0c02c3a9');
	assert.equal(hex(derSet(derSequence())), '31023000');
	assert.equal(hex(derValue(0x82, Buffer.from('ab'))), '82026162');
});

test('derParts splits an encoded value into its parts', () => {
	const long = derOctetString(Buffer.alloc(300, 7));
	const [whole, ...others] = derParts(derSequence(derTrue(), long, derSequence()));
	assert.equal(others.length, 0);
	assert.equal(whole?.tag, 0x30);
	const parts = derParts(whole?.content ?? Buffer.alloc(0));
	assert.deepEqual(
		parts.map(({ tag, content }) => [tag, content.length]),
		[
			[0x01, 1],
			[0x04, 300],
			[0x30, 0],
		],
	);
	assert.deepEqual(Buffer.from(parts[1]?.bytes ?? []), long);
});

test('derParts throws on a truncated value', () => {
	for (const cut of ['3003', '0402ff', '3082', '30820100', '04']) {
		assert.throws(() => derParts(Buffer.from(cut, 'hex')), RangeError, cut);
	}
});
