import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonEqual, semanticEqual } from './equality.ts';

const same: readonly (readonly [unknown, unknown])[] = [
	[undefined, null],
	[undefined, []],
	[{}, undefined],
	[{ a: 1, b: [] }, { a: 1 }],
	[{ a: 1 }, { a: 1, b: {} }],
	[
		{ a: 1, b: { c: [1, 2] } },
		{ b: { c: [1, 2] }, a: 1 },
	],
	['', ''],
];
const different: readonly (readonly [unknown, unknown])[] = [
	[undefined, ''],
	[undefined, 0],
	[undefined, false],
	[
		[1, 2],
		[2, 1],
	],
	[[1], [1, undefined]],
	[{ a: 1 }, { a: 1, b: 0 }],
	[{ a: 1, b: 0 }, { a: 1 }],
	[{ a: 1 }, [1]],
	[{ toString: 1 }, {}],
	[1, '1'],
];

test('semanticEqual() treats absent and empty as equal, and ignores the order of keys', () => {
	for (const [a, b] of same) {
		assert(semanticEqual(a, b), JSON.stringify([a, b]));
		assert(semanticEqual(b, a), JSON.stringify([b, a]));
	}
});

test('semanticEqual() compares values, lengths and the order of lists', () => {
	for (const [a, b] of different) {
		assert(!semanticEqual(a, b), JSON.stringify([a, b]));
		assert(!semanticEqual(b, a), JSON.stringify([b, a]));
	}
});

test('jsonEqual() distinguishes absent and empty', () => {
	assert(jsonEqual({ a: [{ b: null }] }, { a: [{ b: null }] }));
	assert(jsonEqual({ a: 1, b: 2 }, { b: 2, a: 1 }));
	assert(!jsonEqual({ a: [] }, {}));
	assert(!jsonEqual({ a: null }, {}));
	assert(!jsonEqual([], {}));
	assert(!jsonEqual([1], [1, 2]));
});

test('semanticEqual() does not descend into shared parts', () => {
	const part = new Proxy({}, { ownKeys: () => assert.fail('looked into') });
	assert(semanticEqual({ a: part, b: 1 }, { a: part, b: 1 }));
});
