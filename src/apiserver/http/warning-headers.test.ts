import assert from 'node:assert/strict';
import { test } from 'node:test';
import { warningHeaders } from './warning-headers.ts';

test('a warning is quoted and sent in UTF-8 without control characters', () => {
	const [header = ''] = warningHeaders(['b"ä\\ \u0000\r\n\u0085']);
	assert.equal(Buffer.from(header, 'latin1').toString(), '299 - "b\\"ä\\\\ ????"');
});

test('warnings of up to 4 KB are sent completely', () => {
	const texts = ['x'.repeat(4000), 'y'.repeat(96)];
	assert.deepEqual(
		warningHeaders(texts).map((header) => header.length),
		[4000 + '299 - ""'.length, 96 + '299 - ""'.length],
	);
});

test('of more, each is truncated to 256 characters, and as many are sent as fit into 4 KB', () => {
	const texts = Array.from({ length: 120 }, (_, index) => `${index}${'x'.repeat(300)}`);
	const headers = warningHeaders(texts);
	assert.equal(headers.length, 16);
	assert.ok(headers.every((header) => header.length === 256 + '299 - ""'.length));
	const short = warningHeaders(
		Array.from({ length: 120 }, (_, index) => `unknown field "spec.f${index}"`.padEnd(50)),
	);
	assert.equal(short.length, 82);
	const wide = warningHeaders(Array.from({ length: 120 }, () => '😀'.repeat(300)));
	assert.equal(wide.length, 4);
	assert.equal(Buffer.from(wide[0] ?? '', 'latin1').toString(), `299 - "${'😀'.repeat(256)}"`);
	assert.ok(wide.join().length < 8 * 1024);
});
