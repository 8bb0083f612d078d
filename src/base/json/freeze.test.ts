import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deepFreeze } from './freeze.ts';

describe('deepFreeze', () => {
	test('freezes an object and everything it contains, and returns it', () => {
		const value = { list: [{ inner: { deep: 1 } }], text: 'a', nothing: null, missing: undefined };
		assert.equal(deepFreeze(value), value);
		assert.throws(() => value.list.push({ inner: { deep: 2 } }), TypeError);
		assert.throws(() => {
			const [first] = value.list;
			if (first) first.inner.deep = 2;
		}, TypeError);
		assert.equal(value.list[0]?.inner.deep, 1);
	});

	test('returns values that are no objects unchanged', () => {
		for (const value of [1, 'a', true, null, undefined]) assert.equal(deepFreeze(value), value);
	});

	test('does not visit the parts of a frozen object, so that shared parts cost nothing', () => {
		let reads = 0;
		const shared = Object.freeze({
			get part(): unknown {
				reads += 1;
				return {};
			},
		});
		deepFreeze({ shared, own: {} });
		assert.equal(reads, 0);
	});
});
