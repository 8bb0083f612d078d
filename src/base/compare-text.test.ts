import assert from 'node:assert/strict';
import test from 'node:test';
import { compareText } from './compare-text.ts';

test('orders texts by their characters and not by a locale', () => {
	assert.deepEqual(['b', 'a', 'B', 'ä', '', 'a', 'ab'].sort(compareText), [
		'',
		'B',
		'a',
		'a',
		'ab',
		'b',
		'ä',
	]);
	assert.equal(compareText('a', 'a'), 0);
});
