import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deepFreeze } from '../../base/json/freeze.ts';
import type { JsonRecord } from '../../base/json/json.ts';
import { mergePatch } from './merge-patch.ts';

const cases: readonly (readonly [JsonRecord, JsonRecord, JsonRecord])[] = [
	[{ a: 'b' }, { a: 'c' }, { a: 'c' }],
	[{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
	[{ a: 'b' }, { a: null }, {}],
	[{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
	[{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
	[{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
	[{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
	[{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
	[{ e: null }, { a: 1 }, { e: null, a: 1 }],
	[{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
	[{ a: 1 }, { a: { b: 2 } }, { a: { b: 2 } }],
];

for (const [original, patch, expected] of cases) {
	test(`${JSON.stringify(original)} is patched with ${JSON.stringify(patch)}`, () => {
		assert.deepEqual(mergePatch(deepFreeze(original), deepFreeze(patch)), expected);
	});
}

test('mergePatch() returns the object itself if nothing changes', () => {
	const original = deepFreeze({ a: { b: [1, { c: 2 }] }, d: 'e' });
	assert.equal(mergePatch(original, { a: { b: [1, { c: 2 }] }, d: 'e', f: null }), original);
	assert.equal(mergePatch(original, { d: 'x' }).a, original.a);
});

test('mergePatch() refuses a patch that is not an object', () => {
	for (const patch of [[], 1, 'a', null]) {
		assert.throws(() => mergePatch({}, patch), { code: 400, message: 'Invalid JSON Patch' });
	}
});

test('a field named __proto__ stays a field', () => {
	const result = mergePatch({ a: 1 }, JSON.parse('{"__proto__":{"b":2},"c":{"constructor":{"d":1}}}'));
	assert.equal(Object.getPrototypeOf(result), Object.prototype);
	assert.equal('b' in result, false);
	assert.deepEqual(Object.keys(result), ['a', '__proto__', 'c']);
});
