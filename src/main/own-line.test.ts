import assert from 'node:assert/strict';
import test from 'node:test';
import { onOwnLine } from './own-line.ts';

/** The lines that a terminal of this width shows. It wraps at the first character that does not fit. */
function shown(written: string, columns: number): readonly string[] {
	const lines = [''];
	let column = 0;
	for (const [character] of written.replaceAll('\x1b[K', '\x00').matchAll(/./gs)) {
		const line = lines.pop() ?? '';
		if (character === '\r') {
			column = 0;
			lines.push(line);
		} else if (character === '\x00') {
			lines.push(line.slice(0, column));
		} else if (character === '\n') {
			column = 0;
			lines.push(line, '');
		} else if (column === columns) {
			column = 1;
			lines.push(line, character);
		} else {
			lines.push(line.slice(0, column) + character + line.slice(column + 1));
			column += 1;
		}
	}
	return lines.map((line) => line.trimEnd());
}

test('a text starts on a new line for every cursor position', () => {
	const text = onOwnLine({ isTTY: true, columns: 10 }, 'log\n');
	assert.deepEqual(shown(text, 10), ['log', '']);
	assert.deepEqual(shown(`$ ls${text}`, 10), ['$ ls', 'log', '']);
	assert.deepEqual(shown(`0123456789${text}`, 10), ['0123456789', 'log', '']);
	assert.deepEqual(shown(`done\n${text}${text}`, 10), ['done', 'log', 'log', '']);
});

test('a file or pipe gets the text unchanged', () => {
	assert.equal(onOwnLine({}, 'log\n'), 'log\n');
	assert.equal(onOwnLine({ isTTY: true, columns: 0 }, 'log\n'), 'log\n');
});
