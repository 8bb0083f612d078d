import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KeyIndex } from './key-index.ts';

test('an index returns the keys that were added to a value and not removed, and drops values without keys', () => {
	const step = fc.tuple(fc.boolean(), fc.constantFrom('v', 'w'), fc.constantFrom('a', 'b', 'c'));
	fc.assert(
		fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
			const index = new KeyIndex();
			const model = new Map<string, Set<string>>();
			for (const [adds, value, key] of steps) {
				const filed = model.get(value) ?? new Set();
				model.set(value, filed);
				if (adds) {
					index.add(value, key);
					filed.add(key);
				} else {
					index.remove(value, key);
					filed.delete(key);
				}
			}
			for (const [value, keys] of model) assert.deepEqual([...index.keys(value)], [...keys]);
			assert.equal(index.size, [...model.values()].filter(({ size }) => size > 0).length);
		}),
	);
});
