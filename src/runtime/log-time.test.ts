import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../base/testing/virtual-clock.ts';
import { LogTime } from './log-time.ts';

test('the digits below a millisecond come from the counter', () => {
	const clock = new VirtualClock(Date.UTC(2026, 0, 31, 8));
	let count = 5n;
	const time = new LogTime(clock, () => count);
	assert.equal(time.stamp(), '2026-01-31T08:00:00.000000000Z');
	count += 1_234_567n;
	clock.advance(1);
	assert.equal(time.stamp(), '2026-01-31T08:00:00.001234567Z');
	count += 1_000_000_000n;
	clock.advance(1000);
	assert.equal(time.stamp(), '2026-01-31T08:00:01.001234567Z');
});

test('the stamp follows the clock when the clock is set', () => {
	const clock = new VirtualClock(Date.UTC(2026, 0, 31, 8));
	let count = 0n;
	const time = new LogTime(clock, () => count);
	clock.advance(3_600_000);
	count += 1_000n;
	assert.equal(time.stamp(), '2026-01-31T09:00:00.000000000Z');
	count += 1_500_000n;
	assert.equal(time.stamp(), '2026-01-31T09:00:00.001500000Z');
});
