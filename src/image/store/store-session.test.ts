import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { removeTree } from '../../base/files/remove-tree.ts';
import { openTestStore } from '../testing/test-store.ts';
import { testFolder } from '../testing/trees.ts';
import type { ImageStore } from './image-store.ts';

/** A store with roots of containers; `remove` stands in for the removal of their content. */
async function storeWithRoots(
	t: TestContext,
	remove: (path: string) => Promise<void>,
): Promise<{ readonly store: ImageStore; readonly errors: string[] }> {
	const errors: string[] = [];
	const onError = (error: unknown) => errors.push(String(error));
	const store = await openTestStore(t, { remove, onError });
	for (const id of ['a', 'b']) mkdirSync(store.folders.container(id));
	return { store, errors };
}

test('the folder of a session that ends while the store is opened is no obstacle', async (t) => {
	const root = join(testFolder(t), 'images');
	const { folders } = await openTestStore(t, { root });
	// Listed, and gone when it is opened.
	symlinkSync('/missing', join(folders.sessions, 'ended'));
	await openTestStore(t, { root });
});

test('content that cannot be removed is reported once, and hinders no other removal', async (t) => {
	let isBroken = true;
	const removed: string[] = [];
	const { store, errors } = await storeWithRoots(t, async (path) => {
		if (isBroken && path.endsWith('-1')) throw new Error('the disk is broken');
		removed.push(path.replace(/.*-/, ''));
		await removeTree(path);
	});
	await store.roots.remove('a');
	await store.roots.remove('b');
	await store.sweep();
	assert.deepEqual([errors, removed], [['Error: the disk is broken'], ['2']]);
	assert.deepEqual(await store.roots.list(), []);
	isBroken = false;
	await store.sweep();
	assert.deepEqual(removed, ['2', '1']);
});

test('the same content is not removed twice at the same time', async (t) => {
	const { promise: gate, resolve } = Promise.withResolvers<void>();
	const begun: string[] = [];
	const { store, errors } = await storeWithRoots(t, async (path) => {
		begun.push(path);
		await gate;
		await removeTree(path);
	});
	const removals = [store.roots.remove('a'), store.sweep(), store.roots.remove('b'), store.sweep()];
	while (begun.length < 2) await new Promise(setImmediate);
	await new Promise(setImmediate);
	resolve();
	await Promise.all(removals);
	assert.deepEqual([begun.length, new Set(begun).size, errors], [2, 2, []]);
});
