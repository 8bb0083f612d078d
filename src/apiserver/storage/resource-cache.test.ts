import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namespaces } from '../../api/core/namespace/definition.ts';
import type { Change } from '../../store/store.ts';
import { Matcher } from './matcher.ts';
import { type LiveWatch, ResourceCache } from './resource-cache.ts';
import { ALL } from './selection.ts';

const unexpected = (error: unknown): void => assert.fail(String(error));

const cache = (): ResourceCache => new ResourceCache(namespaces);

function put({ codec }: ResourceCache, name: string, revision: number): Change {
	const value = codec.encode({ kind: 'Namespace', apiVersion: 'v1', metadata: { name } });
	const entry = { key: codec.key('', name), value, revision, createRevision: revision };
	return { type: 'put', revision, entry, previous: undefined };
}

function watchAfter(
	{ codec }: ResourceCache,
	after: number,
): { readonly watch: LiveWatch; readonly told: string[] } {
	const told: string[] = [];
	const watch: LiveWatch = {
		selected: new Matcher(codec, ALL),
		after,
		notify: (notices, revision) => {
			told.push(...notices.map(({ type, stored }) => `${type} ${stored.object.metadata.name} ${revision}`));
		},
		ended: (error) => void told.push(error.message),
	};
	return { watch, told };
}

test('a watch does not receive a change twice', () => {
	const resource = cache();
	const { watch, told } = watchAfter(resource, 5);
	resource.subscribe(watch);
	resource.dispatch(
		[resource.apply(put(resource, 'a', 5)), resource.apply(put(resource, 'b', 6))],
		unexpected,
	);
	assert.deepEqual(told, ['ADDED b 6']);
});

test('a watch that is stopped in the middle of a batch receives nothing more', () => {
	const resource = cache();
	const second = watchAfter(resource, 0);
	let stop = (): void => {};
	resource.subscribe({ ...watchAfter(resource, 0).watch, notify: () => stop() });
	stop = resource.subscribe(second.watch);
	resource.dispatch([resource.apply(put(resource, 'a', 1))], unexpected);
	assert.deepEqual(second.told, []);
});

test('objects are listed in key order, in whatever order they were created and deleted', () => {
	const resource = cache();
	for (const [index, name] of ['c', 'a', 'b', 'd'].entries()) resource.apply(put(resource, name, index + 1));
	const key = resource.codec.key('', 'b');
	const previous = { key, value: new Uint8Array(), revision: 3, createRevision: 3 };
	resource.apply({ type: 'delete', revision: 5, key, previous });
	const names = (after?: string): readonly string[] =>
		resource.candidates(new Matcher(resource.codec, ALL), after).map(({ key: each }) => each.slice(-1));
	assert.deepEqual(names(), ['a', 'c', 'd']);
	assert.deepEqual(names(resource.codec.key('', 'a')), ['c', 'd']);
});

test('wakers are called once for each batch, after the subscribers', () => {
	const resource = cache();
	const { watch, told } = watchAfter(resource, 0);
	resource.subscribe(watch);
	const stop = resource.onChange(() => void told.push('woken'));
	const batch = (): void =>
		resource.dispatch(
			[resource.apply(put(resource, 'a', 1)), resource.apply(put(resource, 'b', 2))],
			unexpected,
		);
	batch();
	assert.deepEqual(told, ['ADDED a 2', 'ADDED b 2', 'woken']);
	stop();
	batch();
	assert.equal(told.filter((each) => each === 'woken').length, 1);
});

test('a cache that no longer follows its store ends its watches', () => {
	const resource = cache();
	const { watch, told } = watchAfter(resource, 0);
	resource.subscribe(watch);
	resource.fail(new Error('the store is gone'));
	resource.dispatch([resource.apply(put(resource, 'a', 1))], unexpected);
	assert.deepEqual(told, ['the store is gone']);
});
