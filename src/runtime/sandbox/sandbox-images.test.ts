import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { buildImage } from '../../image/testing/image-builder.ts';
import { openTestStore, pulled } from '../../image/testing/test-store.ts';
import { SandboxImages } from './sandbox-images.ts';

const APP = buildImage({ layers: [[{ path: 'app', content: 'app' }]] });
const NAME = 'docker.io/library/app:1';

test('images are listed with their names and use, and removed unless they are in use', async (t) => {
	const store = await openTestStore(t);
	const images = new SandboxImages(() => store);
	assert.deepEqual(await images.list(), []);
	await store.add(pulled(APP, NAME));
	await store.add(pulled(APP, `docker.io/library/app@${APP.manifest.digest}`));
	const root = { containerId: 'c', owner: 'another', imageId: APP.id, setId: 'strip' } as const;
	const { merged } = await store.roots.createCopy(root);
	const [image] = await images.list();
	assert.deepEqual(
		[image?.id, image?.tags, image?.digests, image?.sizeBytes, image?.isInUse],
		[APP.id, [NAME], [`docker.io/library/app@${APP.manifest.digest}`], 3, true],
	);
	await assert.rejects(images.remove(APP.id), { message: `the image ${APP.id} is in use` });
	assert.ok(existsSync(merged));
	await store.roots.remove('c');
	assert.equal((await images.list())[0]?.isInUse, false);
	await images.remove(APP.id);
	await images.remove(APP.id);
	assert.deepEqual(await images.list(), []);
	const { capacityBytes, availableBytes } = await images.disk();
	assert.ok(capacityBytes > 0 && availableBytes <= capacityBytes);
});
