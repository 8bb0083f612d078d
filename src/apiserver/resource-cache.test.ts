import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namespaces } from '../api/core/namespace/definition.ts';
import type { Change } from '../store/store.ts';
import { type LiveWatch, ResourceCache } from './resource-cache.ts';
import { ALL } from './selection.ts';

const unexpected = (error: unknown): void => assert.fail(String(error));

const cache = (): ResourceCache => new ResourceCache(namespaces);

function put({ codec }: ResourceCache, name: string, revision: number): Change {
	const value = codec.encode({ kind: 'Namespace', apiVersion: 'v1', metadata: { name } });
	const entry = { key: codec.key('', name), value, revision, createRevision: revision };
	return { type: 'put', revision, entry, previous: undefined };
}

function watchAfter(after: number): { readonly watch: LiveWatch; readonly told: string[] } {
	const told: string[] = [];
	const watch: LiveWatch = {
		selection: ALL,
		after,
		notify: (notices, revision) => {
			told.push(...notices.map(({ type, stored }) => `${type} ${stored.object.metadata.name} ${revision}`));
		},
		ended: (error) => void told.push(error.message),
	};
	return { watch, told };
}

test('a watch is not told again what it knows already', () => {
	const resource = cache();
	const { watch, told } = watchAfter(5);
	resource.subscribe(watch);
	resource.dispatch(
		[resource.apply(put(resource, 'a', 5)), resource.apply(put(resource, 'b', 6))],
		unexpected,
	);
	assert.deepEqual(told, ['ADDED b 6']);
});

test('a watch that ends another one in the middle of a batch silences it at once', () => {
	const resource = cache();
	const second = watchAfter(0);
	let stop = (): void => {};
	resource.subscribe({ ...watchAfter(0).watch, notify: () => stop() });
	stop = resource.subscribe(second.watch);
	resource.dispatch([resource.apply(put(resource, 'a', 1))], unexpected);
	assert.deepEqual(second.told, []);
});

test('past changes are remembered as far back as the memory says', () => {
	const resource = cache();
	resource.loaded(10);
	assert.equal(resource.changesSince(9), undefined);
	for (let revision = 11; revision <= 1010; revision++)
		resource.apply(put(resource, `n${revision}`, revision));
	const revisions = (since: number): readonly number[] | undefined =>
		resource.changesSince(since)?.map((change) => change.revision);
	assert.equal(revisions(20), undefined);
	assert.deepEqual(revisions(1010), []);
	assert.deepEqual(revisions(1008), [1009, 1010]);
	// Wherever the memory begins, it has everything since.
	for (let since = 10; since <= 1010; since++) {
		const found = revisions(since);
		if (found) assert.equal(found.length, 1010 - since);
	}
	assert.ok(revisions(1010 - 200));
});

test('a cache that has lost its store ends its watches', () => {
	const resource = cache();
	const { watch, told } = watchAfter(0);
	resource.subscribe(watch);
	resource.fail(new Error('the store is gone'));
	resource.dispatch([resource.apply(put(resource, 'a', 1))], unexpected);
	assert.deepEqual(told, ['the store is gone']);
});
