import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deepFreeze } from '../../base/json/freeze.ts';
import { isList, type JsonRecord } from '../../base/json/json.ts';
import { strategicMerge } from './strategic-merge.ts';
import { thingSchema } from './thing-schema.test.ts';

function merged(original: JsonRecord, patch: JsonRecord): JsonRecord {
	return strategicMerge(deepFreeze(original), deepFreeze(patch), thingSchema);
}

interface Case {
	readonly name: string;
	readonly original: JsonRecord;
	readonly patch: JsonRecord;
	readonly expected: JsonRecord;
}

const a = { name: 'a', image: '1' };
const b = { name: 'b', image: '2' };
const c = { name: 'c', image: '3' };

const cases: readonly Case[] = [
	{
		name: 'fields are set, maps merged, null deletes',
		original: { size: 1, kind: 'T', metadata: { labels: { x: '1', y: '2' } } },
		patch: { size: 2, kind: null, metadata: { labels: { y: null, z: '3' } }, started: null },
		expected: { size: 2, metadata: { labels: { x: '1', z: '3' } } },
	},
	{
		name: 'items are merged by their key, new ones stand where the patch has them',
		original: { items: [a, b] },
		patch: { items: [{ name: 'b', image: '9' }, c] },
		expected: { items: [a, { name: 'b', image: '9' }, c] },
	},
	{
		name: 'nested lists are merged likewise',
		original: { items: [{ ...a, env: [{ name: 'X', value: '1' }], args: ['p', 'q'] }] },
		patch: { items: [{ name: 'a', env: [{ name: 'Y', value: '2' }], args: ['r'] }] },
		expected: {
			items: [
				{
					...a,
					env: [
						{ name: 'Y', value: '2' },
						{ name: 'X', value: '1' },
					],
					args: ['r'],
				},
			],
		},
	},
	{
		name: 'an item is deleted by a directive',
		original: { items: [a, b, c] },
		patch: {
			items: [
				{ $patch: 'delete', name: 'b' },
				{ name: 'a', image: null },
			],
		},
		expected: { items: [{ name: 'a' }, c] },
	},
	{
		name: 'a directive for an item that is not there does nothing',
		original: { items: [a] },
		patch: { items: [{ $patch: 'delete', name: 'b' }] },
		expected: { items: [a] },
	},
	{
		name: 'a directive in a list that is not there leaves an empty list',
		original: {},
		patch: { items: [{ $patch: 'delete', name: 'b' }] },
		expected: { items: [] },
	},
	{
		name: 'a list is replaced by a directive among its items',
		original: { items: [a, b] },
		patch: { items: [{ $patch: 'replace' }, c] },
		expected: { items: [c] },
	},
	{
		name: 'an object is replaced by a directive in it',
		original: { metadata: { name: 'n', labels: { x: '1' } } },
		patch: { metadata: { labels: { $patch: 'replace', y: '2' } } },
		expected: { metadata: { name: 'n', labels: { y: '2' } } },
	},
	{
		name: 'an object is emptied by a directive in it',
		original: { metadata: { labels: { x: '1' } } },
		patch: { metadata: { labels: { $patch: 'delete' } } },
		expected: { metadata: { labels: {} } },
	},
	{
		name: 'an order is set',
		original: { items: [a, b, c] },
		patch: { '$setElementOrder/items': [{ name: 'c' }, { name: 'a' }] },
		expected: { items: [b, c, a] },
	},
	{
		name: 'new items stand where the order says',
		original: { items: [a, b] },
		patch: { '$setElementOrder/items': [{ name: 'a' }, { name: 'c' }, { name: 'b' }], items: [c] },
		expected: { items: [a, c, b] },
	},
	{
		name: 'an order works with deletions and with items of others',
		original: { items: [{ name: 'x' }, a, b] },
		patch: {
			'$setElementOrder/items': [{ name: 'c' }, { name: 'a' }],
			items: [c, { name: 'b', $patch: 'delete' }],
		},
		expected: { items: [c, { name: 'x' }, a] },
	},
	{
		name: 'an order of a list that is not there does nothing',
		original: {},
		patch: { '$setElementOrder/items': [{ name: 'c' }] },
		expected: {},
	},
	{
		name: 'a list of plain values is merged by value; without an order, new ones come first',
		original: { names: ['x', 'y'] },
		patch: { names: ['z', 'y'] },
		expected: { names: ['z', 'x', 'y'] },
	},
	{
		name: 'plain values are deleted and ordered',
		original: { names: ['x', 'y', 'z'] },
		patch: {
			'$deleteFromPrimitiveList/names': ['y'],
			'$setElementOrder/names': ['z', 'w', 'x'],
			names: ['w'],
		},
		expected: { names: ['z', 'w', 'x'] },
	},
	{
		name: 'atomic lists are replaced',
		original: { rules: [a, b], replaced: [a], codes: [1, 2] },
		patch: { rules: [b], replaced: [c], codes: [3] },
		expected: { rules: [b], replaced: [c], codes: [3] },
	},
	{
		name: 'only retained keys stay',
		original: { volumes: [{ name: 'v', a: { x: 1 } }], strategy: { type: 'R', rolling: { m: '1' } } },
		patch: {
			volumes: [{ $retainKeys: ['b', 'name'], name: 'v', b: { y: 2 } }],
			strategy: { $retainKeys: ['type'], type: 'S' },
		},
		expected: { volumes: [{ name: 'v', b: { y: 2 } }], strategy: { type: 'S' } },
	},
	{
		name: 'what is new has no nulls and no directives',
		original: {},
		patch: {
			metadata: { name: 'n', labels: { x: null }, annotations: { $patch: 'delete' } },
			strategy: { $retainKeys: ['type'], type: 'S' },
			items: [{ name: 'a', image: null }],
		},
		expected: { metadata: { name: 'n', labels: {} }, strategy: { type: 'S' }, items: [{ name: 'a' }] },
	},
	{
		name: 'unknown fields pass',
		original: { foo: { x: 1 } },
		patch: { foo: { y: [1] }, bar: [2] },
		expected: { foo: { x: 1, y: [1] }, bar: [2] },
	},
	{
		name: 'another type replaces',
		original: { items: [a], size: 1 },
		patch: { items: 'x', size: { a: 1 } },
		expected: { items: 'x', size: { a: 1 } },
	},
];

for (const { name, original, patch, expected } of cases) {
	test(name, () => assert.deepEqual(merged(original, patch), expected));
}

const failures: readonly (readonly [JsonRecord, string])[] = [
	[{ items: [{ image: 'x' }] }, 'map: {"image":"x"} does not contain declared merge key: name'],
	[{ items: [{ $patch: 'delete' }] }, 'map: {"$patch":"delete"} does not contain declared merge key: name'],
	[{ items: [{ $patch: 'merge', name: 'a' }] }, 'merging lists cannot yet be specified in the patch'],
	[{ items: ['x'] }, 'expected a map[string]interface {}, but received a string'],
	[{ $patch: 'burn' }, 'unknown patch type: burn in map: {"$patch":"burn"}'],
	[{ '$setElementOrder/items': 'x' }, 'invalid patch format of setElementOrder list'],
	[{ '$setElementOrder/size': ['x'] }, 'expected a []interface {}, but received a int64'],
	[{ '$deleteFromPrimitiveList/names': 'x' }, 'invalid patch format of primitive list'],
	[{ strategy: { $retainKeys: ['type'], rolling: {} } }, 'invalid patch format of retainKeys'],
	[
		{ '$setElementOrder/items': [{ name: 'a' }], items: [b] },
		`The order in patch list:\n[{"name":"b","image":"2"}]\n doesn't match $setElementOrder list:\n[{"name":"a"}]\n`,
	],
];

for (const [patch, message] of failures) {
	test(`strategicMerge() refuses ${JSON.stringify(patch)}`, () => {
		const original = { items: [a], size: 1, names: ['x'], strategy: { type: 'x' } };
		assert.throws(() => merged(original, patch), { code: 400, message });
	});
}

test('long lists are merged in linear time', () => {
	const items = Array.from({ length: 30_000 }, (_, index) => ({ name: `n${index}` }));
	const patch = {
		items: items.map(({ name }, index) => (index % 2 ? { name, $patch: 'delete' } : { name, image: 'x' })),
	};
	const startedAt = performance.now();
	const result = strategicMerge({ items }, patch, thingSchema);
	assert.equal(isList(result.items) && result.items.length, 15_000);
	// Pairwise comparison would take many seconds.
	assert(performance.now() - startedAt < 3000);
});

test('strategicMerge() returns the object itself if nothing changes', () => {
	const original = deepFreeze({ size: 1, items: [a, b], names: ['x'], metadata: { labels: { l: '1' } } });
	const patch = {
		size: 1,
		'$setElementOrder/items': [{ name: 'a' }, { name: 'b' }],
		items: [{ name: 'b', image: '2' }],
		names: ['x'],
		metadata: { labels: { l: '1', m: null }, name: null },
		'$deleteFromPrimitiveList/names': ['q'],
	};
	assert.equal(merged(original, patch), original);
	assert.equal(merged(original, { size: 2 }).items, original.items);
});
