import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deepFreeze } from '../../base/json/freeze.ts';
import type { JsonRecord } from '../../base/json/json.ts';
import { ApiError } from '../errors/api-error.ts';
import { applyJsonPatch, readJsonPatch } from './json-patch.ts';

function patched(original: JsonRecord, ...operations: readonly object[]): JsonRecord {
	return applyJsonPatch(deepFreeze(original), readJsonPatch(operations));
}

const cases: readonly (readonly [JsonRecord, readonly object[], JsonRecord])[] = [
	[{ a: 1 }, [{ op: 'add', path: '/b', value: [1] }], { a: 1, b: [1] }],
	[{ a: [1, 3] }, [{ op: 'add', path: '/a/1', value: 2 }], { a: [1, 2, 3] }],
	[{ a: [1] }, [{ op: 'add', path: '/a/-', value: 2 }], { a: [1, 2] }],
	[{ a: [1] }, [{ op: 'add', path: '/a/1', value: 2 }], { a: [1, 2] }],
	[{ a: [1, 2, 3] }, [{ op: 'remove', path: '/a/1' }], { a: [1, 3] }],
	[{ a: [1, 2, 3] }, [{ op: 'remove', path: '/a/-1' }], { a: [1, 2] }],
	[{ a: { b: 1, c: 2 } }, [{ op: 'remove', path: '/a/b' }], { a: { c: 2 } }],
	[{ a: [{ b: 1 }] }, [{ op: 'replace', path: '/a/0/b', value: 2 }], { a: [{ b: 2 }] }],
	[{ a: 1 }, [{ op: 'replace', path: '/b', value: 2 }], { a: 1, b: 2 }],
	[{ a: 1 }, [{ op: 'replace', path: '', value: { b: 2 } }], { b: 2 }],
	[{ a: { b: 1 }, c: {} }, [{ op: 'move', from: '/a/b', path: '/c/d' }], { a: {}, c: { d: 1 } }],
	[{ a: [1, 2, 3] }, [{ op: 'move', from: '/a/0', path: '/a/2' }], { a: [2, 3, 1] }],
	[{ a: { b: 1 } }, [{ op: 'copy', from: '/a', path: '/c' }], { a: { b: 1 }, c: { b: 1 } }],
	[
		{ 'a/b': 1, 'm~n': 2 },
		[
			{ op: 'remove', path: '/a~1b' },
			{ op: 'add', path: '/m~0n', value: 3 },
		],
		{ 'm~n': 3 },
	],
	[{ a: { b: [1] } }, [{ op: 'test', path: '/a', value: { b: [1] } }], { a: { b: [1] } }],
	[
		{ a: 1 },
		[
			{ op: 'test', path: '/b', value: null },
			{ op: 'test', path: '', value: { a: 1 } },
		],
		{ a: 1 },
	],
	[
		{},
		[
			{ op: 'add', path: '/a', value: '' },
			{ op: 'add', path: '/b' },
		],
		{ a: '', b: null },
	],
];

for (const [original, operations, expected] of cases) {
	test(`${JSON.stringify(original)} is patched with ${JSON.stringify(operations)}`, () => {
		assert.deepEqual(patched(original, ...operations), expected);
	});
}

const failures: readonly (readonly [JsonRecord, object, string])[] = [
	[{ a: 1 }, { op: 'test', path: '/a', value: 2 }, 'testing value /a failed: test failed'],
	[
		{ a: 1 },
		{ op: 'remove', path: '/b' },
		"error in remove for path: '/b': Unable to remove nonexistent key: b: missing value",
	],
	[
		{ a: 1 },
		{ op: 'add', path: '/b/c', value: 1 },
		'add operation does not apply: doc is missing path: "/b/c": missing value',
	],
	[
		{ a: [1] },
		{ op: 'add', path: '/a/3', value: 1 },
		"error in add for path: '/a/3': Unable to access invalid index: 3: invalid index referenced",
	],
	[
		{ a: [1] },
		{ op: 'add', path: '/a/x', value: 1 },
		"error in add for path: '/a/x': value was not a proper array index: 'x'",
	],
	[
		{ a: [1] },
		{ op: 'replace', path: '/a/1', value: 1 },
		'replace operation does not apply: doc is missing key: /a/1: missing value',
	],
	[
		{ a: 1 },
		{ op: 'move', from: '/b/c', path: '/a' },
		'move operation does not apply: doc is missing from path: /b/c: missing value',
	],
	[{ a: 1 }, { op: 'grow', path: '/a' }, 'Unexpected kind: grow'],
	[{ a: 1 }, { op: 'add', value: 1 }, 'add operation failed to decode path: missing value'],
	[{ a: 1 }, { op: 'replace', path: '', value: 1 }, 'replace operation value must be object or array'],
	[
		{},
		{ op: 'add', path: '/toString/a', value: 1 },
		'add operation does not apply: doc is missing path: "/toString/a": missing value',
	],
];

for (const [original, operation, cause] of failures) {
	test(`${JSON.stringify(operation)} does not apply to ${JSON.stringify(original)}`, () => {
		assert.throws(
			() => patched(original, operation),
			(error: unknown) => {
				assert(error instanceof ApiError);
				assert.equal(error.code, 422);
				assert.equal(error.message, 'the server rejected our request due to an error in our request');
				assert.equal(error.status.details?.causes?.[0]?.message, cause);
				return true;
			},
		);
	});
}

test('the result shares the parts that no operation changes', () => {
	const original = deepFreeze({ a: { b: 1 }, c: { d: [1] } });
	const result = patched(original, { op: 'add', path: '/c/e', value: 1 });
	assert.equal(result.a, original.a);
	assert.equal(patched(original, { op: 'replace', path: '/a/b', value: 1 }), original);
});

test('readJsonPatch() refuses malformed patches', () => {
	assert.throws(() => readJsonPatch({}), {
		code: 400,
		message:
			'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp',
	});
	assert.throws(() => readJsonPatch([{ op: 1 }]), {
		code: 400,
		message:
			'error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string',
	});
	assert.deepEqual(readJsonPatch([{ op: 'test', path: '', foo: 1 }]).problems, [
		{ type: 'unknown', path: '[0].foo' },
	]);
});

test('copy operations are limited in size and number of values', () => {
	const copies = (count: number, path: string) =>
		Array.from({ length: count }, (_, index) => ({
			op: 'copy',
			from: '/a',
			path: path.replace('#', `${index}`),
		}));
	assert.throws(() => patched({ a: ['x'] }, ...copies(64, '/a/-')), { code: 413 });
	const text = 'x'.repeat(1024 * 1024);
	assert.throws(() => patched({ a: text }, ...copies(3, '/b#')), { code: 422 });
	assert.equal(Object.keys(patched({ a: text }, ...copies(2, '/b#'))).length, 3);
});

test('the time is linear in the number of operations and the depth of paths', () => {
	const steps = '/a'.repeat(200_000);
	assert.throws(() => patched({ a: 1 }, { op: 'add', path: steps, value: 1 }), { code: 422 });
	const fields = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`k${index}`, index]));
	const adds = Array.from({ length: 10_000 }, (_, index) => ({
		op: 'add',
		path: `/m/x${index}`,
		value: index,
	}));
	const startedMs = cpuMs();
	assert.equal(Object.keys(patched({ m: fields }, ...adds).m as object).length, 20_000);
	assert.ok(cpuMs() - startedMs < 2000, 'copying the map for each operation takes minutes');
});

test('a patch is limited to 10,000 operations and in the number of list items that it shifts', () => {
	const tests = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '', value: {} }));
	assert.throws(() => readJsonPatch(tests), {
		code: 413,
		message: 'Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001',
	});
	const list = Array.from({ length: 20_000 }, () => 0);
	const adds = Array.from({ length: 10_000 }, () => ({ op: 'add', path: '/l/0', value: 1 }));
	assert.throws(() => patched({ l: list }, ...adds), { code: 413 });
});

test('a patch cannot nest an object deeper than the limit', () => {
	const nested = JSON.parse(`${'{"a":'.repeat(800)}{}${'}'.repeat(800)}`);
	const leaf = '/a'.repeat(800);
	const deeper = [
		{ op: 'copy', from: '/a', path: `${leaf}/a` },
		{ op: 'copy', from: '/a', path: `${leaf}${leaf}/a` },
	];
	assert.throws(() => patched(nested, ...deeper), { code: 422 });
	const wraps = Array.from({ length: 2000 }, (_, index) => [
		{ op: 'add', path: `/w${index}`, value: {} },
		{ op: 'move', from: index === 0 ? '/a' : `/w${index - 1}`, path: `/w${index}/x` },
	]).flat();
	assert.throws(() => patched({ a: {} }, ...wraps), { code: 422 });
});

test('changing a copied value leaves the original unchanged', () => {
	const operations = [
		{ op: 'add', path: '/a/b', value: 1 },
		{ op: 'copy', from: '/a', path: '/c' },
		{ op: 'add', path: '/c/b', value: 2 },
		{ op: 'add', path: '/a/d', value: 3 },
	];
	assert.deepEqual(patched({ a: {} }, ...operations), { a: { b: 1, d: 3 }, c: { b: 2 } });
});

test('fields named like members of Object.prototype are ordinary fields', () => {
	const value = JSON.parse('{"__proto__":{"x":1}}');
	const made = patched(
		{ a: {} },
		{ op: 'add', path: '/a/__proto__', value: 1 },
		{ op: 'add', path: '/b', value },
	);
	assert.equal(
		JSON.stringify(patched(made, { op: 'add', path: '/b/__proto__/y', value: 2 })),
		'{"a":{"__proto__":1},"b":{"__proto__":{"x":1,"y":2}}}',
	);
});

test('applying a patch does not change it, so that a retry can apply it again', () => {
	const patch = readJsonPatch(
		deepFreeze([
			{ op: 'add', path: '/a', value: { l: [] } },
			{ op: 'add', path: '/a/l/-', value: 1 },
		]),
	);
	for (let time = 0; time < 2; time++) assert.deepEqual(applyJsonPatch({}, patch), { a: { l: [1] } });
});

function cpuMs(): number {
	const { user, system } = process.cpuUsage();
	return (user + system) / 1000;
}
