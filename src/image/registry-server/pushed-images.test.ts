import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { existsSync, readdirSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { VirtualClock } from '../../base/testing/virtual-clock.ts';
import { digestOf } from '../digest.ts';
import { machinePlatform } from '../manifests/platform.ts';
import { parseImageReference } from '../names/image-reference.ts';
import { pullImage } from '../pull/pull-image.ts';
import type { ImageStore, StoredImage } from '../store/image-store.ts';
import { type BuiltImage, buildImage } from '../testing/image-builder.ts';
import { pushAs } from '../testing/push-image.ts';
import { RegistryWorld } from '../testing/registry-world.ts';
import { testIndex } from '../testing/test-image.ts';
import { openRegistry } from '../testing/test-registry.ts';
import { openTestStore } from '../testing/test-store.ts';
import { removePushedTag } from './image-names.ts';

/** The registry together with the images of its store: what Pods pull, what sweeps remove. */

const BASE = [{ path: 'etc/' }, { path: 'etc/os', content: 'linux' }];
const ONE = buildImage({ layers: [BASE, [{ path: 'app', content: 'one' }]] });
const TWO = buildImage({ layers: [BASE, [{ path: 'app', content: 'two' }]] });

interface World {
	readonly store: ImageStore;
	readonly clock: VirtualClock;
	readonly port: number;
	/** The requests that this process has received. */
	readonly log: readonly string[];
	pull(name: string): Promise<StoredImage>;
	/** The status of a request below `/v2/`. */
	status(method: string, path: string): Promise<number>;
	/** How many blobs of an image the store has. */
	blobs(image: BuiltImage): number;
}

async function world(t: TestContext): Promise<World> {
	const clock = new VirtualClock();
	const store = await openTestStore(t, { clock });
	const { port } = await openRegistry(t, store);
	const client = new RegistryWorld();
	t.after(() => client.registry.close());
	const log: string[] = [];
	const note = (message: unknown): void => {
		const { request } = message as { request: { method: string; url: string } };
		log.push(`${request.method} ${request.url}`);
	};
	subscribe(REQUESTS, note);
	t.after(() => unsubscribe(REQUESTS, note));
	return {
		log,
		store,
		clock,
		port,
		pull: async (name) =>
			await pullImage({
				store,
				repository: await client.repository(name),
				platform: machinePlatform(),
				accessOf: () => ({ everyPod: true, secrets: [], serviceAccounts: [] }),
			}),
		status: async (method, path) => (await fetch(`http://127.0.0.1:${port}/v2/${path}`, { method })).status,
		blobs: ({ content }) =>
			[...content.keys()].filter((digest) => existsSync(store.folders.blob(digest))).length,
	};
}

const REQUESTS = 'http.server.request.start';
const DAY_MS = 24 * 3_600_000;

test('a pushed image is pulled into the same store without a transfer of its layers', async (t) => {
	const it = await world(t);
	await pushAs(`localhost:${it.port}/app:1`, ONE);
	const count = readdirSync(it.store.folders.blobs).length;
	const log = it.log.length;
	const image = await it.pull(`127.0.0.1:${it.port}/app:1`);
	assert.equal(image.id, ONE.id);
	assert.equal((await it.pull(`localhost:${it.port}/app:1`)).names.length, 2);
	assert.equal(readdirSync(it.store.folders.blobs).length, count);
	assert.deepEqual(it.log.slice(log), Array(2).fill('HEAD /v2/app/manifests/1'));
});

test('a second push to a tag changes what its names mean; the earlier image stays for a day', async (t) => {
	const it = await world(t);
	const names = [`localhost:${it.port}/app:1`, `127.0.0.1:${it.port}/app:1`, `localhost:${it.port}/other:1`];
	await pushAs(`localhost:${it.port}/app:1`, ONE);
	await pushAs(`localhost:${it.port}/other:1`, ONE);
	for (const name of names) await it.pull(name);
	await pushAs(`127.0.0.1:${it.port}/app:1`, TWO);
	const found = await Promise.all(names.map(async (name) => (await it.store.find(name))?.id));
	assert.deepEqual(found, [undefined, undefined, ONE.id]);
	assert.equal((await it.pull(names[0] ?? '')).id, TWO.id);
	await pushAs(`127.0.0.1:${it.port}/app:1`, TWO);
	assert.equal((await it.store.find(names[0] ?? ''))?.id, TWO.id);
	it.clock.advance(DAY_MS - 1);
	await it.store.sweep();
	assert.equal(await it.status('GET', `app/manifests/${ONE.manifest.digest}`), 200);
	it.clock.advance(1);
	await it.store.sweep();
	assert.equal(await it.status('GET', `app/manifests/${ONE.manifest.digest}`), 404);
	assert.equal(await it.status('GET', `other/manifests/${ONE.manifest.digest}`), 200);
});

test('what a tag names stays when its image is removed, and is removed with the tag', async (t) => {
	const it = await world(t);
	const name = `localhost:${it.port}/app:1`;
	await pushAs(name, ONE);
	const { id } = await it.pull(name);
	it.clock.advance(30 * DAY_MS);
	await it.store.remove([id]);
	assert.deepEqual([it.blobs(ONE), readdirSync(it.store.folders.layers)], [ONE.content.size, []]);
	assert.equal((await it.pull(name)).id, ONE.id);
	assert.equal(await it.status('DELETE', 'app/manifests/1'), 202);
	assert.equal(await it.store.find(name), undefined);
	assert.equal(await it.store.find(id), undefined);
	assert.deepEqual([it.blobs(ONE), readdirSync(it.store.folders.layers)], [0, []]);
	assert.deepEqual(readdirSync(it.store.folders.registry), []);
	assert.equal(await it.status('DELETE', 'app/manifests/1'), 404);
});

test('the removal of a name removes the tag that was pushed to the same registry only', async (t) => {
	const it = await world(t);
	await pushAs(`localhost:${it.port}/app:1`, ONE);
	const remove = (name: string): Promise<boolean> => removePushedTag(it.store, parseImageReference(name));
	for (const other of [`localhost:1/app:1`, `localhost/app:1`, `example.org:${it.port}/app:1`, 'app:1'])
		assert.equal(await remove(other), false, other);
	assert.equal(await remove(`localhost:${it.port}/app:2`), false);
	assert.equal(await remove(`127.0.0.1:${it.port}/app:1`), true);
	assert.deepEqual([await it.status('GET', 'app/manifests/1'), it.blobs(ONE)], [404, 0]);
});

test('content that others need is not deleted', async (t) => {
	const it = await world(t);
	await pushAs(`localhost:${it.port}/app:1`, testIndex([{ image: ONE, platform: machinePlatform() }]));
	const [config = ''] = [ONE.id];
	assert.equal(await it.status('DELETE', `app/blobs/${config}`), 405);
	assert.equal(await it.status('DELETE', `app/manifests/${ONE.manifest.digest}`), 405);
	it.clock.advance(30 * DAY_MS);
	await it.store.sweep();
	assert.equal((await it.pull(`localhost:${it.port}/app:1`)).id, ONE.id);
});

test('a blob that no manifest names stays for an hour after the last question for it', async (t) => {
	const it = await world(t);
	const digest = digestOf('x');
	const upload = `http://localhost:${it.port}/v2/app/blobs/uploads/?digest=${digest}`;
	assert.equal((await fetch(upload, { method: 'POST', body: 'x' })).status, 201);
	it.clock.advance(DAY_MS / 24 - 1);
	assert.equal(await it.status('HEAD', `app/blobs/${digest}`), 200);
	it.clock.advance(DAY_MS / 24 - 1);
	await it.store.sweep();
	assert.equal(await it.status('HEAD', `other/blobs/${digest}`), 404);
	await it.store.sweep();
	assert.equal(existsSync(it.store.folders.blob(digest)), true);
	it.clock.advance(1);
	await it.store.sweep();
	assert.equal(existsSync(it.store.folders.blob(digest)), false);
	assert.equal(await it.status('HEAD', `app/blobs/${digest}`), 404);
});

test('content of the store that was not pushed is in no repository', async (t) => {
	const it = await world(t);
	await pushAs(`localhost:${it.port}/app:1`, ONE);
	await it.pull(`localhost:${it.port}/app:1`);
	for (const digest of ONE.content.keys()) {
		assert.equal(await it.status('GET', `other/blobs/${digest}`), 404);
		assert.equal(await it.status('GET', `other/manifests/${digest}`), 404);
	}
});
