import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { SystemClock } from '../../base/clock.ts';
import { VirtualClock } from '../../base/testing/virtual-clock.ts';
import type { ImageStore } from '../../image/store/image-store.ts';
import { openTestStore } from '../../image/testing/test-store.ts';
import { testFolder } from '../../image/testing/trees.ts';
import { discardStaleRoots, withTrial } from './stale-roots.ts';

const DAY_MS = 24 * 3_600_000;

function addRoot({ folders }: ImageStore, id: string, owner: string): void {
	mkdirSync(folders.container(id));
	const record = { id, owner, imageId: '', chainIds: [] };
	writeFileSync(join(folders.container(id), 'container.json'), JSON.stringify(record));
}

test('roots of earlier containers are discarded, of missing owners after a day, and one failure is no obstacle', async (t) => {
	const store = await openTestStore(t);
	const clock = new VirtualClock(1_700_000_000_000);
	const other = testFolder(t);
	for (const id of ['kept', 'earlier']) addRoot(store, id, '/own');
	addRoot(store, 'other', other);
	addRoot(store, 'absent', '/no/such/folder');
	addRoot(store, 'broken', '/own');
	const { roots } = store;
	const discard = roots.discard.bind(roots);
	roots.discard = async (id) => {
		if (id === 'broken') throw new Error('something is still mounted');
		await discard(id);
	};
	const start = async () => {
		const errors: unknown[] = [];
		const onError = (error: unknown) => errors.push(error);
		await discardStaleRoots(store, { owner: '/own', kept: new Set(['kept']), clock, onError });
		assert.equal(errors.length, 1);
		return (await roots.list()).map(({ id }) => id).sort();
	};
	assert.deepEqual(await start(), ['absent', 'broken', 'kept', 'other']);
	await clock.advance(DAY_MS - 1);
	assert.deepEqual(await start(), ['absent', 'broken', 'kept', 'other']);
	await clock.advance(1);
	assert.deepEqual(await start(), ['broken', 'kept', 'other']);
});

test('an owner that returns begins a new day', async (t) => {
	const store = await openTestStore(t);
	const clock = new VirtualClock(1_700_000_000_000);
	const folder = join(testFolder(t), 'data');
	addRoot(store, 'a', folder);
	const start = () =>
		discardStaleRoots(store, { owner: '/own', kept: new Set(), clock, onError: assert.ifError });
	await start();
	await clock.advance(DAY_MS);
	mkdirSync(folder);
	await start();
	assert.equal(existsSync(join(store.folders.container('a'), 'owner-missing-since')), false);
});

test('a trial has a folder of its own, and old ones are removed', async (t) => {
	const folder = testFolder(t);
	for (const name of ['trial-7', 'trial-8', 'store']) mkdirSync(join(folder, name));
	for (const name of ['trial-7', 'store']) utimesSync(join(folder, name), 1, 1);
	const clock = new SystemClock();
	const trial = await withTrial(folder, clock, async (path) => {
		assert.deepEqual(readdirSync(path).sort(), ['lower', 'root', 'upper', 'work']);
		return path;
	});
	assert.equal(existsSync(trial), false);
	assert.deepEqual(readdirSync(folder).sort(), ['store', 'trial-8']);
});
