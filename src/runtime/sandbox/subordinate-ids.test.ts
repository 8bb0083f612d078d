import assert from 'node:assert/strict';
import test from 'node:test';
import { checkId, rangeIn } from './subordinate-ids.ts';

const USER = { username: 'ann', uid: 1000 };

test('the first range with enough ids counts, by name or number', () => {
	assert.deepEqual(rangeIn('bob:1:65536\nann:100000:65536\n', USER), { first: 100_000, count: 65_536 });
	assert.deepEqual(rangeIn('1000:200000:131072', USER), { first: 200_000, count: 131_072 });
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

test('a number beyond the ids that are granted is an error with the remedy', () => {
	const ids = { uids: { first: 100_000, count: 65_536 }, gids: { first: 100_000, count: 70_000 } };
	checkId('user', 65_536, ids);
	checkId('group', 70_000, ids);
	checkId('user', 1_000_650_000, undefined);
	assert.throws(() => checkId('user', 65_537, ids), {
		message:
			'containers cannot have the user 65537: /etc/subuid grants the users 1 to 65536; use one of these, or grant more',
	});
	assert.throws(() => checkId('group', 70_001, ids), /\/etc\/subgid grants the groups 1 to 70000/);
});
