import assert from 'node:assert/strict';
import test from 'node:test';
import { base64OfText, bytesInBase64, textOfBase64 } from './base64.ts';

test('a text of any length and script survives the way to base64 and back', () => {
	for (const text of ['', 'a', 'ab', 'abc', 'wörld ☃ 🜁', '\ufeffmark', 'x'.repeat(100_001)]) {
		const base64 = base64OfText(text);
		assert.equal(base64, Buffer.from(text).toString('base64'));
		assert.equal(textOfBase64(base64), text);
		assert.equal(bytesInBase64(base64), Buffer.byteLength(text));
	}
});

test('bytes that are no UTF-8 become U+FFFD', () => {
	assert.equal(textOfBase64(Buffer.from([0x61, 0xff]).toString('base64')), 'a\ufffd');
});
