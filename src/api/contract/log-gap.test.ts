import assert from 'node:assert/strict';
import test from 'node:test';
import { linesMissingAt, logGapText } from './log-gap.ts';

test('the replacement line states the number of missing lines, and is recognized', () => {
	assert.equal(logGapText(3, 'no space'), '[stint: 3 lines of this log are missing here: no space]');
	assert.equal(logGapText(1, 'no space'), '[stint: 1 line of this log is missing here: no space]');
	for (const lines of [1, 1_331_493]) assert.equal(linesMissingAt(logGapText(lines, 'no space')), lines);
	assert.equal(linesMissingAt(`2026-01-31T08:00:00.123456789Z ${logGapText(2, 'no space')}`), 2);
});

test('no other line counts as a replacement', () => {
	for (const line of ['', ']', '[stint]', `a ${logGapText(2, 'b')}`, 'stint: 2 lines are missing'])
		assert.equal(linesMissingAt(line), 0, line);
});
