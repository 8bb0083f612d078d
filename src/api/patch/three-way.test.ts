import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { deepFreeze } from '../../base/json/freeze.ts';
import { isList, isRecord, type JsonRecord } from '../../base/json/json.ts';
import { jobSchema } from '../batch/job/schema.ts';
import { strategicMerge } from './strategic-merge.ts';
import { thingSchema } from './thing-schema.test.ts';
import { type ApplyInputs, threeWayPatch } from './three-way.ts';

function patchOf(applied: ApplyInputs): JsonRecord | undefined {
	return threeWayPatch(deepFreeze(applied), thingSchema);
}

test('threeWayPatch() returns undefined if nothing changes', () => {
	const manifest = {
		size: 1,
		items: [{ name: 'a', limits: { cpu: 0.5 } }],
		started: '2026-01-31T09:00:00+01:00',
	};
	const live = {
		size: 1,
		items: [{ name: 'a', limits: { cpu: '500m' }, image: 'defaulted' }, { name: 'injected' }],
		started: '2026-01-31T08:00:00Z',
		metadata: { uid: '1' },
	};
	assert.equal(patchOf({ last: manifest, live, manifest }), undefined);
});

test('the patch sets changed fields, deletes those applied before and keeps those of others', () => {
	const last = { kind: 'K', size: 1, metadata: { labels: { a: '1', b: '2' } } };
	const live = { kind: 'K', size: 1, metadata: { labels: { a: '1', b: '2', other: 'x' } }, started: 'S' };
	const manifest = { size: 2, metadata: { labels: { a: '1', c: '3' } } };
	assert.deepEqual(patchOf({ last, live, manifest }), {
		size: 2,
		metadata: { labels: { c: '3', b: null } },
		kind: null,
	});
});

test('the patch does not delete a field that is no longer live', () => {
	assert.equal(patchOf({ last: { kind: 'K' }, live: {}, manifest: {} }), undefined);
	assert.equal(
		patchOf({ last: { names: ['x'] }, live: { names: ['y'] }, manifest: { names: [] } }),
		undefined,
	);
});

test('the patch changes, adds and deletes items by merge key, and sets their order', () => {
	const last = { items: [{ name: 'a' }, { name: 'b' }] };
	const live = { items: [{ name: 'a', image: 'd' }, { name: 'b' }, { name: 'other' }] };
	const manifest = { items: [{ name: 'c' }, { name: 'a', image: 'e' }] };
	assert.deepEqual(patchOf({ last, live, manifest }), {
		'$setElementOrder/items': [{ name: 'c' }, { name: 'a' }],
		items: [{ name: 'c' }, { image: 'e', name: 'a' }, { name: 'b', $patch: 'delete' }],
	});
});

test('the patch sets only the order if nothing else changed', () => {
	const live = { items: [{ name: 'a' }, { name: 'x' }, { name: 'b' }], names: ['p', 'q'] };
	const manifest = { items: [{ name: 'b' }, { name: 'a' }], names: ['q', 'p'] };
	assert.deepEqual(patchOf({ last: undefined, live, manifest }), {
		'$setElementOrder/items': [{ name: 'b' }, { name: 'a' }],
		'$setElementOrder/names': ['q', 'p'],
	});
});

test('the patch adds and deletes scalars by value', () => {
	const applied = {
		last: { names: ['a', 'b'] },
		live: { names: ['a', 'b', 'x'] },
		manifest: { names: ['a', 'c'] },
	};
	assert.deepEqual(patchOf(applied), {
		'$setElementOrder/names': ['a', 'c'],
		'$deleteFromPrimitiveList/names': ['b'],
		names: ['c'],
	});
});

test('the patch of a union lists the fields to retain', () => {
	const last = { volumes: [{ name: 'v', a: { x: 1 } }] };
	const live = { volumes: [{ name: 'v', a: { x: 1 } }] };
	const manifest = { volumes: [{ name: 'v', b: { y: 2 } }] };
	assert.deepEqual(patchOf({ last, live, manifest }), {
		'$setElementOrder/volumes': [{ name: 'v' }],
		volumes: [{ b: { y: 2 }, a: null, $retainKeys: ['b', 'name'], name: 'v' }],
	});
});

test('the patch replaces a list with repeated merge keys as a whole', () => {
	const live = {
		ports: [
			{ port: 80, protocol: 'TCP' },
			{ port: 80, protocol: 'UDP' },
		],
	};
	assert.equal(patchOf({ last: undefined, live, manifest: live }), undefined);
	const manifest = { ports: [{ port: 80 }, { port: 80, protocol: 'SCTP' }] };
	assert.deepEqual(patchOf({ last: undefined, live, manifest }), {
		ports: [{ $patch: 'replace' }, { port: 80 }, { port: 80, protocol: 'SCTP' }],
	});
});

test('the patch omits an atomic list whose items differ only by defaults of the server', () => {
	const manifest = { rules: [{ name: 'r' }] };
	const live = { rules: [{ name: 'r', image: 'defaulted' }] };
	assert.equal(patchOf({ last: manifest, live, manifest }), undefined);
	assert.deepEqual(patchOf({ last: live, live, manifest }), manifest);
});

test('a null in the manifest deletes the field', () => {
	assert.deepEqual(patchOf({ last: undefined, live: { size: 1 }, manifest: { size: null, kind: null } }), {
		size: null,
	});
});

test('the patch for a Job equals the one that kubectl sends', () => {
	const job = (labels: object, container: object, image: string, volume: object): JsonRecord => ({
		spec: {
			template: {
				metadata: { labels },
				spec: {
					volumes: [{ name: 'v', ...volume }],
					containers: [
						{ name: 'a', image: 'x', ...container },
						{ name: 'b', image },
					],
				},
			},
		},
	});
	const last = job({ a: 'b' }, { env: [{ name: 'A', value: '1' }] }, 'y', { emptyDir: {} });
	const manifest = job({ c: 'd' }, { env: [{ name: 'B', value: '2' }] }, 'z', { configMap: { name: 'c' } });
	const live = { ...last, metadata: { uid: '1' }, status: { active: 1 } };
	// Recorded from kubectl 1.32, without the annotation last-applied-configuration.
	assert.deepEqual(threeWayPatch({ last, live, manifest }, jobSchema), {
		spec: {
			template: {
				metadata: { labels: { a: null, c: 'd' } },
				spec: {
					'$setElementOrder/containers': [{ name: 'a' }, { name: 'b' }],
					'$setElementOrder/volumes': [{ name: 'v' }],
					containers: [
						{
							'$setElementOrder/env': [{ name: 'B' }],
							env: [
								{ name: 'B', value: '2' },
								{ $patch: 'delete', name: 'A' },
							],
							name: 'a',
						},
						{ image: 'z', name: 'b' },
					],
					volumes: [
						{ $retainKeys: ['configMap', 'name'], configMap: { name: 'c' }, emptyDir: null, name: 'v' },
					],
				},
			},
		},
	});
});

test('threeWayPatch() refuses an item without its merge key', () => {
	const manifest = { items: [{ image: 'x' }] };
	assert.throws(() => patchOf({ last: undefined, live: { items: [] }, manifest }), {
		message: 'map: {"image":"x"} does not contain declared merge key: name',
	});
});

const text = fc.constantFrom('1', '2', '3');
const name = fc.constantFrom('a', 'b', 'c', 'd');
const labels = fc.dictionary(fc.constantFrom('k', 'l', 'm'), text);
const env = fc.uniqueArray(fc.record({ name, value: text }, { requiredKeys: ['name'] }), {
	selector: (each) => each.name,
});
const item = fc.record(
	{ name, image: text, args: fc.array(text, { maxLength: 2 }), limits: labels, env },
	{ requiredKeys: ['name'] },
);
const items = fc.uniqueArray(item, { selector: (each) => each.name, maxLength: 4 });
const volume = fc.record(
	{ name, a: fc.record({ x: fc.nat(3) }), b: fc.record({ y: fc.nat(3) }) },
	{ requiredKeys: ['name'] },
);
const thing = fc.record(
	{
		kind: text,
		size: fc.nat(3),
		metadata: fc.record({ labels, finalizers: fc.uniqueArray(text) }, { requiredKeys: [] }),
		items,
		volumes: fc.uniqueArray(volume, { selector: (each) => each.name, maxLength: 3 }),
		names: fc.uniqueArray(text),
		rules: items,
		strategy: fc.record({ type: text, rolling: labels }, { requiredKeys: [] }),
	},
	{ requiredKeys: [] },
);

/**
 * Whether `value` contains `wanted`. Items of merged lists are matched by name; atomic lists must be equal.
 */
function has(value: unknown, wanted: unknown): boolean {
	if (isRecord(wanted)) {
		return isRecord(value) && Object.entries(wanted).every(([key, part]) => has(value[key], part));
	}
	if (!isList(wanted)) return value === wanted;
	if (!isList(value)) return false;
	return wanted.every((part) =>
		value.some(
			(candidate) =>
				(isRecord(part) && isRecord(candidate) ? candidate.name === part.name : true) && has(candidate, part),
		),
	);
}

test('for generated objects, applying the patch yields the manifest, and a second apply has no patch', () => {
	fc.assert(
		fc.property(fc.option(thing, { nil: undefined }), thing, thing, (last, live, manifest) => {
			const patch = patchOf({ last, live, manifest });
			const result = patch ? strategicMerge(live, patch, thingSchema) : live;
			assert(has(result, manifest), JSON.stringify({ patch, result }));
			if (manifest.rules) assert.equal(isList(result.rules) && result.rules.length, manifest.rules.length);
			for (const key of Object.keys(last ?? {})) assert(key in manifest || !(key in result), key);
			for (const key of Object.keys(live)) assert(key in (last ?? {}) || key in result, key);
			assert.equal(patchOf({ last: manifest, live: result, manifest }), undefined);
		}),
		{ numRuns: 500 },
	);
});

test("after the patch the live items are in the manifest's order", () => {
	fc.assert(
		fc.property(thing, thing, (live, manifest) => {
			const patch = patchOf({ last: undefined, live, manifest });
			const result = patch ? strategicMerge(live, patch, thingSchema) : live;
			const wanted = (manifest.items ?? []).map((each) => each.name);
			const after = isList(result.items) ? result.items.map((each) => (isRecord(each) ? each.name : '')) : [];
			assert.deepEqual(
				after.filter((each) => wanted.some((other) => other === each)),
				wanted,
			);
		}),
	);
});

test('lists of 10,000 elements are read a few times each', () => {
	const count = 10_000;
	let reads = 0;
	const counted = <T>(list: readonly T[]): readonly T[] =>
		new Proxy(list, {
			get: (target, key) => {
				reads += 1;
				return Reflect.get(target, key);
			},
		});
	const version = (from: number, image: string): JsonRecord => {
		const names = Array.from({ length: count }, (_, index) => `n${from + index}`);
		return {
			items: counted(names.map((name) => ({ name, image }))),
			metadata: { finalizers: counted(names) },
			rules: counted(names.map((name) => ({ name }))),
		};
	};
	// Half of the elements overlap, so that each list has elements that the others lack.
	const patch = threeWayPatch(
		{ last: version(0, 'a'), live: version(count / 2, 'a'), manifest: version(count, 'b') },
		thingSchema,
	);
	// A change for each item of the manifest, and a removal for those that are live and no longer wanted.
	assert.equal(isList(patch?.items) && patch.items.length, 1.5 * count);
	assert.ok(reads < 60 * count, `${reads} reads`);
});
