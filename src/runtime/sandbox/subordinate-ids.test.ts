import assert from 'node:assert/strict';
import test from 'node:test';
import { rangeIn } from './subordinate-ids.ts';

const USER = { username: 'ann', uid: 1000 };

test('the first range with enough ids counts, by name or number', () => {
	assert.deepEqual(rangeIn('bob:1:65536\nann:100000:65536\n', USER), { first: 100_000, count: 65_536 });
	assert.deepEqual(rangeIn('1000:200000:131072', USER), { first: 200_000, count: 65_536 });
	assert.deepEqual(rangeIn('ann:1:10\nann:300000:65536', USER), { first: 300_000, count: 65_536 });
});

test('a text without a usable range has none', () => {
	for (const text of [
		'',
		'ann',
		'ann:x:65536',
		'ann:1:65535',
		'# ann:1:65536',
		'anna:1:65536',
		'ann:1:99999999999',
	])
		assert.equal(rangeIn(text, USER), undefined, text);
});
