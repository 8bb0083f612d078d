import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalMicroTime, canonicalTime, formatMicroTime, formatTime, parseTime } from './time.ts';

const MS = Date.UTC(2026, 0, 31, 8, 0, 0, 123);

test('times are formatted in whole seconds or with six decimals', () => {
	assert.equal(formatTime(MS), '2026-01-31T08:00:00Z');
	assert.equal(formatMicroTime(MS), '2026-01-31T08:00:00.123000Z');
});

test('parseTime() accepts RFC 3339', () => {
	assert.equal(parseTime('2026-01-31T08:00:00.123Z'), MS);
	assert.equal(parseTime('2026-01-31T10:30:00.123+02:30'), MS);
	assert.equal(parseTime('2026-01-31T03:00:00.1239999-05:00'), MS);
	assert.equal(parseTime('2026-01-31T08:00:00Z'), MS - 123);
});

test('parseTime() refuses text that is not RFC 3339', () => {
	const bad = ['', 'now', '2026-01-31', '2026-01-31T08:00:00', '2026-1-31T08:00:00Z', '2026-02-30T08:00:00Z'];
	for (const text of [
		...bad,
		'2026-02-30T08:00:00+00:00',
		'2026-01-31T25:00:00Z',
		'2026-01-31T08:00:00+0200',
	]) {
		assert.equal(parseTime(text), undefined, text);
	}
});

test('the canonical spelling of a time is in UTC', () => {
	assert.equal(canonicalTime('2026-01-31T10:30:00.999+02:30'), '2026-01-31T08:00:00Z');
	assert.equal(canonicalTime('yesterday'), undefined);
	assert.equal(canonicalMicroTime('2026-01-31T08:00:00.1234567Z'), '2026-01-31T08:00:00.123456Z');
	assert.equal(canonicalMicroTime('2026-01-31T08:00:00Z'), '2026-01-31T08:00:00.000000Z');
});
