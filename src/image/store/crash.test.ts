import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { digestOf } from '../digest.ts';
import { ADDED, BEFORE, useStore } from '../testing/store-child.ts';
import { openTestStore, pulled } from '../testing/test-store.ts';
import { testFolder, treeOf } from '../testing/trees.ts';
import type { ImageStore } from './image-store.ts';

const CHILD = join(import.meta.dirname, '../testing/store-child.ts');

/** Fails unless everything that a record names is present and undamaged, and nothing is half-done. */
async function checkWhole(store: ImageStore): Promise<void> {
	const { folders } = store;
	assert.equal(readdirSync(folders.sessions).length, 1);
	const images = await store.list();
	for (const { id, manifestDigest, layers, names } of images) {
		for (const digest of [id, manifestDigest, ...names.map(({ targetDigest }) => targetDigest)])
			await store.readBlob(digest);
		for (const { chainId } of layers) assert.ok(existsSync(store.layers.filesOf(chainId)));
		await store.layers.view(layers.map(({ chainId }) => chainId));
	}
	assert.equal(readdirSync(folders.images).length, images.length);
	assert.equal(readdirSync(folders.refs).length, images.flatMap(({ names }) => names).length);
	for (const name of readdirSync(folders.blobs))
		assert.equal(digestOf(readFileSync(join(folders.blobs, name))), name.replace('-', ':'));
	for (const { id, chainIds } of await store.roots.list()) {
		assert.equal(readFileSync(join(folders.container(id), 'merged/b'), 'utf8'), 'b');
		for (const chainId of chainIds) assert.ok(existsSync(store.layers.filesOf(chainId)));
	}
}

test('a process that is killed at any step leaves a whole store', async (t) => {
	const folder = testFolder(t);
	const start = join(folder, 'start');
	const first = await openTestStore(t, { root: start, keepsBlobs: true });
	await first.add(pulled(BEFORE, 'before:1'));
	await first.sweep();
	const run = (root: string, killAt: number) => {
		cpSync(start, root, { recursive: true, preserveTimestamps: true });
		const args = ['--disable-warning=ExperimentalWarning', CHILD, root, String(killAt)];
		const { stdout, stderr, signal, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
		assert.ok(signal === 'SIGKILL' || status === 0, stderr);
		return stdout.trim().split('\n');
	};
	const steps = run(join(folder, 'all'), 0);
	assert.ok(steps.length > 25, steps.join(', '));
	for (let killAt = 1; killAt <= steps.length; killAt++) {
		const root = join(folder, String(killAt));
		const done = run(root, killAt);
		assert.equal(done.length, killAt);
		const store = await openTestStore(t, { root, keepsBlobs: true });
		await checkWhole(store);
		// Roots outlive the process that made them, as containers do.
		await store.roots.remove('c');
		await useStore(store);
		await checkWhole(store);
		const { id, names } = (await store.find('added:1')) ?? assert.fail('added:1 is missing');
		assert.deepEqual([id, names.length], [ADDED.id, 1]);
		assert.deepEqual((await store.list()).length, 1);
	}
	// All ways lead to the same files.
	const unlike = (root: string) => readdirSync(join(root, 'blobs')).length;
	assert.equal(unlike(join(folder, '1')), unlike(join(folder, 'all')));
	assert.deepEqual([...treeOf(join(folder, 'all/sessions')).keys()], ['']);
});
