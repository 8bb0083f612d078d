import assert from 'node:assert/strict';
import test from 'node:test';
import { ConcurrencyLimit } from './concurrency-limit.ts';

test('no more tasks than the limit run at once, and the others start in order as tasks end', async () => {
	const limit = new ConcurrencyLimit(2);
	const begun: number[] = [];
	const ends = [0, 1, 2, 3].map(() => Promise.withResolvers<number>());
	const results = ends.map(({ promise }, index) =>
		limit.run(() => {
			begun.push(index);
			return promise;
		}),
	);
	assert.deepEqual(begun, [0, 1]);
	ends[1]?.resolve(1);
	assert.equal(await results[1], 1);
	assert.deepEqual(begun, [0, 1, 2]);
	ends[0]?.resolve(0);
	await results[0];
	assert.deepEqual(begun, [0, 1, 2, 3]);
	ends[2]?.resolve(2);
	ends[3]?.resolve(3);
	assert.deepEqual(await Promise.all(results), [0, 1, 2, 3]);
});

test('a task that fails frees its place, and run() rejects with its error', async () => {
	const limit = new ConcurrencyLimit(1);
	const failing = limit.run(() => Promise.reject(new Error('no')));
	const next = limit.run(() => Promise.resolve('yes'));
	await assert.rejects(failing, /no/);
	assert.equal(await next, 'yes');
	assert.equal(await limit.run(() => Promise.resolve('again')), 'again');
});
