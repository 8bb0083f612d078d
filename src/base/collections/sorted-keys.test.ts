import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SortedKeys } from './sorted-keys.ts';

test('the set has the added keys without the removed ones, in order, from any start', () => {
	const key = fc.integer({ min: 0, max: 3000 }).map((number) => `k${number}`);
	const step = fc.record({ key, add: fc.boolean() });
	fc.assert(
		fc.property(fc.array(step, { maxLength: 3000, size: 'max' }), key, (steps, start) => {
			const sorted = new SortedKeys();
			const model = new Set<string>();
			for (const { key: each, add } of steps) {
				if (add) {
					sorted.add(each);
					model.add(each);
				} else {
					sorted.delete(each);
					model.delete(each);
				}
			}
			const expected = [...model].sort();
			assert.equal(sorted.size, model.size);
			assert.deepEqual([...sorted.from('')], expected);
			assert.deepEqual(
				[...sorted.from(start)],
				expected.filter((each) => each >= start),
			);
		}),
		{ numRuns: 50 },
	);
});

test('many keys are sorted, whatever the order of their addition', () => {
	const numbers = Array.from({ length: 5000 }, (_, index) => String(10_000 + index));
	for (const order of [numbers, numbers.toReversed()]) {
		const sorted = new SortedKeys();
		for (const each of order) sorted.add(each);
		assert.deepEqual([...sorted.from('')], numbers);
		for (const each of order) sorted.delete(each);
		assert.equal(sorted.size, 0);
		assert.deepEqual([...sorted.from('')], []);
	}
});
