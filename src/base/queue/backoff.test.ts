import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffDelayMs, failuresUntilCap } from './backoff.ts';

test('the backoff delay doubles with each consecutive failure, from the base up to the cap', () => {
	const policy = { baseMs: 10_000, capMs: 300_000 };
	const delays = [0, 1, 2, 3, 4, 5, 6, 7].map((failures) => backoffDelayMs(policy, failures) / 1000);
	assert.deepEqual(delays, [0, 10, 20, 40, 80, 160, 300, 300]);
	assert.equal(failuresUntilCap(policy), 6);
});

test('the number of failures until the cap is the least one with that delay', () => {
	for (const [baseMs, capMs] of [
		[10_000, 600_000],
		[10, 80],
		[10, 81],
		[5, 5],
		[7, 3],
	] as const) {
		const failures = failuresUntilCap({ baseMs, capMs });
		assert.equal(backoffDelayMs({ baseMs, capMs }, failures), capMs);
		if (failures > 1) assert.ok(backoffDelayMs({ baseMs, capMs }, failures - 1) < capMs);
	}
});

test('the backoff delay is finite for any number of failures', () => {
	const policy = { baseMs: 1, capMs: 1000 };
	assert.equal(backoffDelayMs(policy, -1), 0);
	for (const failures of [54, 1025, 2 ** 31, Number.MAX_SAFE_INTEGER])
		assert.equal(backoffDelayMs(policy, failures), 1000);
});
