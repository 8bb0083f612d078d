import assert from 'node:assert/strict';
import test from 'node:test';
import { memoize } from './memoize.ts';

test('a memoized function runs once for each object', () => {
	let runs = 0;
	const doubled = memoize(({ n }: { readonly n: number }) => {
		runs += 1;
		return [n * 2];
	});
	const one = { n: 1 };
	assert.deepEqual([doubled(one), doubled(one), doubled({ n: 1 })], [[2], [2], [2]]);
	assert.equal(doubled(one), doubled(one));
	assert.equal(runs, 2);
});
