import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ageOf, humanDuration } from './duration.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

const cases: readonly (readonly [number, string])[] = [
	[-2 * SECOND, '<invalid>'],
	[-2 * SECOND + 1, '0s'],
	[0, '0s'],
	[SECOND - 1, '0s'],
	[59 * SECOND, '59s'],
	[70 * SECOND, '70s'],
	[2 * MINUTE - 1, '119s'],
	[2 * MINUTE, '2m'],
	[2 * MINUTE + 5 * SECOND, '2m5s'],
	[10 * MINUTE - 1, '9m59s'],
	[10 * MINUTE + 1, '10m'],
	[3 * HOUR - 1, '179m'],
	[3 * HOUR, '3h'],
	[3 * HOUR + MINUTE, '3h1m'],
	[8 * HOUR - 1, '7h59m'],
	[8 * HOUR + 59 * MINUTE, '8h'],
	[2 * DAY - 1, '47h'],
	[2 * DAY, '2d'],
	[2 * DAY + 5 * HOUR, '2d5h'],
	[8 * DAY - 1, '7d23h'],
	[8 * DAY + 5 * HOUR, '8d'],
	[2 * YEAR - 1, '729d'],
	[2 * YEAR, '2y'],
	[2 * YEAR + 30 * DAY, '2y30d'],
	[8 * YEAR - 1, '7y364d'],
	[8 * YEAR + 9 * DAY, '8y'],
];

for (const [ms, text] of cases) {
	test(`${ms} ms are printed as ${text}`, () => {
		assert.equal(humanDuration(ms), text);
	});
}

test('ageOf() returns the time since a timestamp', () => {
	const now = Date.UTC(2026, 0, 31, 8, 1, 30);
	assert.equal(ageOf('2026-01-31T08:00:00Z', now), '90s');
	assert.equal(ageOf(undefined, now), '<unknown>');
	assert.equal(ageOf('', now), '<unknown>');
});
