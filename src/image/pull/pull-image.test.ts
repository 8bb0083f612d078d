import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { buildImage } from '../testing/image-builder.ts';
import { RegistryDouble } from '../testing/registry-double.ts';
import { RegistryWorld } from '../testing/registry-world.ts';
import { testIndex } from '../testing/test-image.ts';
import { openTestStore } from '../testing/test-store.ts';
import { type ImagePull, pullImage } from './pull-image.ts';

const PLATFORM = { os: 'linux', architecture: 'amd64' };
const BASE = [{ path: 'etc/' }, { path: 'etc/os', content: 'linux' }];
const ONE = buildImage({ layers: [BASE, [{ path: 'app', content: 'one' }]], platform: PLATFORM });
const TWO = buildImage({ layers: [BASE, [{ path: 'app', content: 'two' }]], platform: PLATFORM });

async function world(t: TestContext) {
	const double = await RegistryDouble.start();
	const client = new RegistryWorld();
	t.after(async () => {
		client.registry.close();
		await double.stop();
	});
	const store = await openTestStore(t);
	const pull = async (name: string, more: Partial<ImagePull> = {}) =>
		pullImage({
			store,
			repository: await client.repository(`${double.host}/${name}`),
			platform: PLATFORM,
			accessOf: () => ({ everyPod: true, secrets: [], serviceAccounts: [] }),
			...more,
		});
	return { double, store, pull };
}

test('an image of an index is pulled into the store; unchanged, one request suffices', async (t) => {
	const { double, store, pull } = await world(t);
	const index = testIndex([{ image: ONE, platform: PLATFORM }]);
	double.add('app', '1', index);
	const progress: number[] = [];
	const image = await pull('app:1', { onProgress: (_, bytes) => progress.push(bytes) });
	assert.equal(image.id, ONE.id);
	assert.ok(progress.length > 0);
	assert.deepEqual(
		image.names.map(({ name, targetDigest }) => [name, targetDigest]),
		[[`${double.host}/app:1`, index.manifest.digest]],
	);
	const { merged } = await store.roots.createCopy({
		containerId: 'c',
		owner: '/data',
		imageId: image.id,
		setId: 'keep',
	});
	assert.equal(readFileSync(join(merged, 'app'), 'utf8'), 'one');
	await store.sweep();
	const before = double.log.length;
	assert.equal((await pull('app:1')).id, ONE.id);
	assert.deepEqual(double.log.slice(before), ['HEAD /v2/app/manifests/1']);
});

test('layers that the store has are not requested', async (t) => {
	const { double, pull } = await world(t);
	double.add('app', '1', ONE);
	double.add('other', '1', TWO);
	await Promise.all([pull('app:1'), pull('app:1'), pull('other:1')]);
	const blobs = double.log.filter((line) => / \/v2\/.*\/blobs\//.test(line));
	const layers = blobs.filter((line) => ![ONE.id, TWO.id].some((id) => line.endsWith(id)));
	assert.equal(new Set(layers.map((line) => line.replace(/.*\/blobs/, ''))).size, layers.length);
	assert.equal(layers.length, 3);
});

test('a layer with other bytes is refused, and the pull may be tried again', async (t) => {
	const { double, store, pull } = await world(t);
	double.add('app', '1', ONE);
	const layer = [...ONE.content.keys()][1] ?? '';
	const bytes = double.blobs.get(layer) ?? Buffer.of();
	double.blobs.set(
		layer,
		bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte)),
	);
	await assert.rejects(pull('app:1'));
	assert.deepEqual(await store.list(), []);
	double.blobs.set(layer, bytes);
	assert.equal((await pull('app:1')).id, ONE.id);
});
