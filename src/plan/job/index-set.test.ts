import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { IndexSet } from './index-set.ts';

const indexes = fc.uniqueArray(fc.nat(60), { maxLength: 40 });

test('two consecutive indexes are written separately, three or more as a range', () => {
	const rows: readonly (readonly [readonly number[], string])[] = [
		[[], ''],
		[[3], '3'],
		[[3, 4], '3,4'],
		[[3, 4, 5], '3-5'],
		[[8, 1, 5, 4, 3, 7], '1,3-5,7,8'],
	];
	for (const [given, text] of rows) assert.equal(IndexSet.of(given).toString(), text);
});

test('parsing ignores invalid items and indexes beyond the current completions', () => {
	const rows: readonly (readonly [string | undefined, number, string])[] = [
		[undefined, 5, ''],
		['1,3-5,7,8', 100, '1,3-5,7,8'],
		['1,3-5,7,8', 5, '1,3,4'],
		['0-9', 0, ''],
		['x,1,-,3-,2-y,4', 10, '1,4'],
		['5-2,7', 10, '7'],
		['4,2,3', 10, '2-4'],
	];
	for (const [text, completions, expected] of rows)
		assert.equal(IndexSet.parse(text, completions).toString(), expected);
});

test('text and set are equivalent, and the set behaves like a Set of numbers', () => {
	fc.assert(
		fc.property(indexes, indexes, (left, right) => {
			const a = IndexSet.of(left);
			const b = IndexSet.of(right);
			assert.equal(IndexSet.parse(a.toString(), 61).toString(), a.toString());
			assert.equal(a.size, left.length);
			const both = new Set([...left, ...right]);
			assert.equal(a.union(b).size, both.size);
			assert.equal(a.sizeOfIntersection(b), left.filter((index) => right.includes(index)).length);
			for (let index = 0; index <= 61; index++) {
				assert.equal(a.has(index), left.includes(index));
				assert.equal(a.union(b).has(index), both.has(index));
			}
		}),
	);
});
