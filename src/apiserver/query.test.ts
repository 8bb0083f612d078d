import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Query } from './query.ts';

test('flags are on unless they are absent, false or 0', () => {
	const query = new Query({ a: 'true', b: '', c: 'x', d: 'false', e: '0', f: 'FALSE' });
	assert.deepEqual(
		['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => query.flag(name)),
		[true, true, true, false, false, false, false],
	);
	assert.equal(query.optionalFlag('d'), false);
	assert.equal(query.optionalFlag('g'), undefined);
});

test('numbers are integers', () => {
	const query = new Query({ a: '12', b: '', c: '1.5', d: '-3' });
	assert.equal(query.integer('a'), 12);
	assert.equal(query.integer('b'), undefined);
	assert.equal(query.integer('d'), -3);
	assert.equal(new Query({ a: '9007199254740993' }).int64('a'), 9007199254740993n);
	assert.throws(() => new Query({ a: '9223372036854775808' }).int64('a'), {
		message: 'strconv.ParseInt: parsing "9223372036854775808": value out of range',
	});
	assert.throws(() => query.integer('c'), {
		message: 'strconv.ParseInt: parsing "1.5": invalid syntax',
	});
});

test('inherited properties are not parameters', () => {
	assert.equal(new Query({}).text('toString'), '');
	assert.equal(new Query({}).has('constructor'), false);
});

test('a parameter that occurs several times has all its values, and is read as the first', () => {
	const query = new Query({ command: ['sh', '', '-c'], one: 'x' });
	assert.deepEqual(query.texts('command'), ['sh', '', '-c']);
	assert.equal(query.text('command'), 'sh');
	assert.deepEqual(query.texts('one'), ['x']);
	assert.deepEqual(query.texts('absent'), []);
});
