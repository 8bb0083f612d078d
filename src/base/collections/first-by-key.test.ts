import assert from 'node:assert/strict';
import test from 'node:test';
import { firstByKey } from './first-by-key.ts';

test('the first of several items with the same key is kept', () => {
	const items = [
		{ name: 'a', value: 1 },
		{ name: 'b', value: 2 },
		{ name: 'a', value: 3 },
	];
	const found = firstByKey(items, ({ name }) => name);
	assert.equal(found.get('a'), items[0]);
	assert.equal(found.get('b'), items[1]);
	assert.equal(found.get('c'), undefined);
});
