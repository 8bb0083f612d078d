import assert from 'node:assert/strict';
import test from 'node:test';
import { formatGoDuration } from './go-duration-text.ts';

test('formatGoDuration() prints durations as Go does', () => {
	const texts: readonly (readonly [number, string])[] = [
		[0, '0s'],
		[-3, '0s'],
		[35.9, '35ms'],
		[1000, '1s'],
		[1200, '1.2s'],
		[1035, '1.035s'],
		[40_000, '40s'],
		[80_000, '1m20s'],
		[300_000, '5m0s'],
		[3_600_005, '1h0m0.005s'],
	];
	for (const [ms, text] of texts) assert.equal(formatGoDuration(ms), text);
});
