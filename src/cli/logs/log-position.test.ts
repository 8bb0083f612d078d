import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { logGapText } from '../../api/contract/log-gap.ts';
import { LogPosition, withoutTime } from './log-position.ts';

/** A line at `tick`: several lines may have the same time. */
function line(tick: number, text: string): string {
	return `2026-01-01T00:00:00.${String(tick).padStart(9, '0')}Z ${text}`;
}

test('a log that is requested again from its position on is printed once, wherever it was cut', () => {
	const gaps = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 12 });
	const cuts = fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 4 });
	fc.assert(
		fc.property(gaps, cuts, fc.integer({ min: 1, max: 5 }), (ticks, ends, coarse) => {
			let tick = 1;
			const log = ticks.map((step, index) => {
				tick += step;
				return line(tick, String(index));
			});
			const position = new LogPosition();
			const printed: string[] = [];
			for (const end of [...ends.toSorted((a, b) => a - b), log.length]) {
				position.restart();
				// Servers compare times in milliseconds or seconds: they repeat lines before the time too.
				const from = log.findIndex((each) => each.startsWith(position.since ?? ''));
				const start = position.since === undefined ? 0 : Math.max(0, from - coarse);
				for (const each of log.slice(start, Math.max(end, start))) printed.push(...position.rest([each]));
			}
			assert.deepEqual(printed, log);
		}),
	);
});

test('lines are counted within a piece as they are line by line', () => {
	const log = [line(1, 'a'), line(2, 'b'), line(2, 'c'), line(2, 'd')];
	const position = new LogPosition();
	assert.deepEqual(position.rest(log.slice(0, 3)), log.slice(0, 3));
	position.restart();
	assert.deepEqual(position.rest(log), [log[3]]);
});

test('a report of missing lines that appears only in the second answer repeats no line', () => {
	const position = new LogPosition();
	position.rest([line(1, 'a'), line(2, 'b')]);
	position.restart();
	const gap = line(2, logGapText(1, 'rotation'));
	const next = line(5, logGapText(3, 'rotation'));
	assert.deepEqual(position.rest([gap, line(2, 'b'), next, line(5, 'c')]), [next, line(5, 'c')]);
});

test('lines after a position that is not in the log any more are printed', () => {
	const position = new LogPosition();
	position.rest([line(1, 'a'), line(1, 'b')]);
	position.restart();
	assert.deepEqual(position.rest([line(4, 'x'), line(4, 'y')]), [line(4, 'x'), line(4, 'y')]);
});

test('the time is removed from a line that has one', () => {
	assert.equal(withoutTime(line(1, '')), '');
	assert.equal(withoutTime(line(1, ' 2026 b')), ' 2026 b');
	assert.equal(withoutTime('no time'), 'no time');
});
