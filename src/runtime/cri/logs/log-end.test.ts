import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Clock } from '../../../base/clock.ts';
import { untilLogged } from './log-end.ts';

test('a log is complete once it does not grow and ends with a line', async (t) => {
	const folder = mkdtempSync(join(tmpdir(), 'stint-log-end-'));
	t.after(() => rmSync(folder, { recursive: true }));
	const path = join(folder, 'log');
	const pieces = ['', 'one\n', '', 'two', '', '', '', '', ' three\n'];
	const written = pieces.join('');
	// Each wait appends a piece.
	const clock: Clock = {
		now: () => 0,
		monotonic: () => 0,
		setTimer: (_, fire) => {
			appendFileSync(path, pieces.shift() ?? '');
			setImmediate(fire);
			return { cancel: () => undefined };
		},
	};
	await untilLogged(path, clock);
	assert.equal(readFileSync(path, 'utf8'), written);
});
