import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LruMap } from './lru-map.ts';

test('a full map evicts the least recently used key, and no other', () => {
	const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
	const step = fc.tuple(fc.constantFrom('get', 'set', 'delete'), key, fc.nat());
	fc.assert(
		fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 60 }), (limit, steps) => {
			const map = new LruMap<number>(limit);
			// The keys of the model, least recently used first.
			let model: [string, number][] = [];
			for (const [operation, name, value] of steps) {
				const known = model.find(([at]) => at === name);
				model = model.filter((each) => each !== known);
				if (operation === 'get') {
					assert.equal(map.get(name), known?.[1]);
					if (known) model.push(known);
				} else if (operation === 'set') {
					map.set(name, value);
					model = [...model, [name, value] as [string, number]].slice(-limit);
				} else map.delete(name);
				assert.equal(map.size, model.length);
			}
			for (const [name, value] of model) assert.equal(map.get(name), value);
		}),
	);
});
