import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { buildImage } from '../../src/image/testing/image-builder.ts';
import { openTestStore, pulled } from '../../src/image/testing/test-store.ts';
import { missingForSandbox } from '../../src/runtime/sandbox/testing/sandbox-harness.ts';
import { done, failed, ImageWorld, runStint } from './image-world.ts';

/** `stint images load` and `save`. The tests of image/archives have the forms of archives. */

const APP = buildImage({ layers: [[{ path: 'app', content: 'app' }]] });
const OTHER = buildImage({ layers: [[{ path: 'other', content: 'other' }]] });
const NAMES = ['docker.io/library/app:1', 'docker.io/library/app:2'];

const skip = (await missingForSandbox()) ?? false;

/** A world whose images were pulled with their layers kept. */
async function filled(t: TestContext): Promise<ImageWorld> {
	const world = await ImageWorld.open(t);
	const store = await openTestStore(t, { root: join(world.folder, 'images/store'), keepsBlobs: true });
	await store.add(pulled(APP, NAMES[0]));
	await store.tag(APP.id, NAMES[1] ?? '');
	await store.add(pulled(OTHER, undefined));
	return world;
}

test('what is saved to a file is loaded elsewhere, and saved again as the same bytes', {
	skip,
}, async (t) => {
	const world = await filled(t);
	const file = join(world.folder, 'images.tar');
	assert.deepEqual(await world.save(['app:1', OTHER.id, 'app:1'], { output: file }), done(''));
	const other = await ImageWorld.open(t);
	const loaded = done(`Loaded image: app:1\nLoaded image ID: ${OTHER.id}\n`);
	assert.deepEqual(await other.load({ input: file }), loaded);
	assert.deepEqual(await other.load({ input: file, quiet: true }), done(`${APP.id}\n${OTHER.id}\n`));
	assert.deepEqual(await other.ls({ output: 'name' }).then(({ stdout }) => stdout.split('\n').sort()), [
		...['', 'app:1', OTHER.id],
	]);
	const again = join(world.folder, 'again.tar');
	writeFileSync(again, 'replaced');
	assert.deepEqual(await other.save(['app:1', OTHER.id], { output: again }), done(''));
	assert.deepEqual(readFileSync(again), readFileSync(file));
	assert.deepEqual(await other.save(['app:1'], { output: '/dev/null' }), done(''));
});

test('an archive goes through the standard streams', { skip }, async (t) => {
	const world = await filled(t);
	const saved = await runStint(t, ['images', '--data-dir', world.folder, 'save', 'app:1', 'app:2']);
	assert.deepEqual([saved.code, saved.stderr], [0, '']);
	const other = await ImageWorld.open(t);
	const { bytes, ...ended } = await runStint(t, ['images', 'load', '--data-dir', other.folder], saved.bytes);
	assert.deepEqual(ended, done('Loaded image: app:1\nLoaded image: app:2\n'));
	assert.ok(bytes.length > 0);
	assert.deepEqual(readdirSync(join(other.folder, 'images/store/sessions')), []);
	const broken = await runStint(
		t,
		['images', 'load', '--data-dir', other.folder],
		saved.bytes.subarray(0, saved.bytes.length / 2),
	);
	assert.equal(broken.code, 1);
	assert.match(broken.stderr, /^error: standard input cannot be loaded: /);
	const empty = await runStint(t, ['images', 'load', '--data-dir', other.folder]);
	assert.equal(empty.code, 1);
});

test('what cannot be saved or loaded is refused, and no file is made', async (t) => {
	const world = await ImageWorld.open(t);
	const store = await world.store(t);
	await store.add(pulled(APP, NAMES[0]));
	const output = join(world.folder, 'images.tar');
	assert.deepEqual(await world.save(['app:1'], { output }), {
		...failed(
			'the layers of docker.io/library/app:1 were not kept as they came, so the image cannot be written with the same digests\nhint: pull it again with: stint images pull NAME',
		),
	});
	assert.deepEqual(await world.save(['app:9'], { output }), failed('No such image: app:9'));
	assert.deepEqual(
		await world.save(['app:1'], { output: '/missing/images.tar' }),
		failed('/missing/images.tar: no such file or directory'),
	);
	assert.deepEqual(readdirSync(world.folder), ['images']);
	assert.deepEqual(await world.load({ input: output }), failed(`open ${output}: no such file or directory`));
});
