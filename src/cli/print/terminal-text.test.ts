import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { escapeControls } from './terminal-text.ts';

test('ESC and CR are escaped as in kubectl, and the other control characters likewise', () => {
	assert.equal(escapeControls('\x1b[31mred\x1b[0m\r'), '^[[31mred^[[0m\\r');
	assert.equal(escapeControls('a\x07b\x08c\x00d\x7f'), 'a^Gb^Hc^@d^?');
	assert.equal(escapeControls('\u009b31m'), '\\u009b31m');
});

test('tabs, newlines and letters of any language are kept', () => {
	const text = 'name:\tπ\n  größe: 東京 🚀\n';
	assert.equal(escapeControls(text), text);
});

test('the result contains no control character, for any text', () => {
	fc.assert(
		fc.property(fc.string({ unit: 'binary' }), (text) => {
			for (const character of escapeControls(text)) {
				const code = character.codePointAt(0) ?? 0;
				assert.ok(code === 0x09 || code === 0x0a || (code >= 0x20 && code < 0x7f) || code > 0x9f);
			}
		}),
	);
});
