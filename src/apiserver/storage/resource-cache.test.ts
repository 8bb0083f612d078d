import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namespaces } from '../../api/core/namespace/definition.ts';
import type { Change } from '../../store/store.ts';
import { Matcher } from './matcher.ts';
import { ResourceCache } from './resource-cache.ts';

const cache = (): ResourceCache => new ResourceCache(namespaces);

function put({ codec }: ResourceCache, name: string, revision: number): Change {
	const value = codec.encode({ kind: 'Namespace', apiVersion: 'v1', metadata: { name } });
	const entry = { key: codec.key('', name), value, revision, createRevision: revision };
	return { type: 'put', revision, entry, previous: undefined };
}

test('objects are listed in key order, in whatever order they were created and deleted', () => {
	const resource = cache();
	for (const [index, name] of ['c', 'a', 'b', 'd'].entries()) resource.apply(put(resource, name, index + 1));
	const key = resource.codec.key('', 'b');
	const previous = { key, value: new Uint8Array(), revision: 3, createRevision: 3 };
	resource.apply({ type: 'delete', revision: 5, key, previous });
	const names = (after?: string): readonly string[] =>
		resource
			.candidates(new Matcher(resource.codec, { namespace: '', labels: [], fields: [] }), after)
			.map(({ key: each }) => each.slice(-1));
	assert.deepEqual(names(), ['a', 'c', 'd']);
	assert.deepEqual(names(resource.codec.key('', 'a')), ['c', 'd']);
});

test('a watch that is woken finds the whole batch in the change window', () => {
	const resource = cache();
	const found: Array<readonly number[] | undefined> = [];
	const stop = resource.onChange(() =>
		found.push(resource.window.changesAfter(0)?.map(({ revision }) => revision)),
	);
	resource.apply(put(resource, 'a', 1));
	resource.apply(put(resource, 'b', 2));
	assert.deepEqual(found, []);
	resource.wakeAll();
	assert.deepEqual(found, [[1, 2]]);
	stop();
	resource.wakeAll();
	assert.equal(found.length, 1);
});

test('a watch that another one stops while they are woken is not woken', () => {
	const resource = cache();
	const woken: string[] = [];
	let stop = (): void => {};
	resource.onChange(() => stop());
	stop = resource.onChange(() => void woken.push('second'));
	resource.wakeAll();
	assert.deepEqual(woken, []);
});
