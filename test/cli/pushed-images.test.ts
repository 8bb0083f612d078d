import assert from 'node:assert/strict';
import test from 'node:test';
import { buildImage } from '../../src/image/testing/image-builder.ts';
import { pushAs } from '../../src/image/testing/push-image.ts';
import { openRegistry } from '../../src/image/testing/test-registry.ts';
import { pulled } from '../../src/image/testing/test-store.ts';
import { done, failed, ImageWorld } from './image-world.ts';

const APP = buildImage({ layers: [[{ path: 'app', content: 'app' }]] });

test('images rm removes what was pushed to the registry by this name, used by a Pod or not', async (t) => {
	const world = await ImageWorld.open(t);
	const store = await world.store(t);
	const { port } = await openRegistry(t, store);
	const [one, two] = [`localhost:${port}/app:1`, `localhost:${port}/app:2`];
	for (const name of [one, two]) await pushAs(name, APP);
	await store.add(pulled(APP, one));
	assert.deepEqual(await world.rm(['app:1']), failed('No such image: app:1'));
	assert.deepEqual(await world.rm([one]), done(`Untagged: ${one}\nDeleted: ${APP.id}\n`));
	assert.deepEqual(await store.repositories.tags('app'), ['2']);
	assert.deepEqual(await world.rm([two]), done(`Untagged: ${two}\n`));
	assert.deepEqual(await store.repositories.names(), []);
	assert.deepEqual(await world.rm([two]), failed(`No such image: ${two}`));
});

test('images prune leaves what the registry serves', async (t) => {
	const world = await ImageWorld.open(t);
	const store = await world.store(t);
	const { port } = await openRegistry(t, store);
	const name = `localhost:${port}/app:1`;
	await pushAs(name, APP);
	await store.add(pulled(APP, name));
	assert.match((await world.prune(true)).stdout, new RegExp(`deleted: ${APP.id}`));
	assert.deepEqual(await store.list(), []);
	assert.deepEqual(await store.repositories.tags('app'), ['1']);
	assert.equal((await fetch(`http://${name.replace('/app:1', '')}/v2/app/blobs/${APP.id}`)).status, 200);
});

test('an image that is only mounted as a volume is in use by the container', async (t) => {
	const world = await ImageWorld.open(t);
	const store = await world.store(t);
	await store.add(pulled(APP, 'localhost:1/app:1'));
	for (const containerId of ['ab_c1.v0', 'ab_c1.v1'])
		await store.roots.createView({ containerId, owner: 'o', imageId: APP.id });
	assert.deepEqual(JSON.parse((await world.ls({ output: 'json' })).stdout)[0].containers, ['c1']);
	assert.match((await world.rm(['localhost:1/app:1'])).stderr, /container c1 is using/);
});
