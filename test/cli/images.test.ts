import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, type TestContext } from 'node:test';
import { pullImages } from '../../src/cli/images/pull-images.ts';
import { buildImage } from '../../src/image/testing/image-builder.ts';
import { RegistryDouble } from '../../src/image/testing/registry-double.ts';
import { pulled } from '../../src/image/testing/test-store.ts';
import { missingForSandbox } from '../../src/runtime/sandbox/testing/sandbox-harness.ts';
import type { Ended } from './cli-world.ts';
import { done, failed, ImageWorld, runStint } from './image-world.ts';

/** `stint images` over real stores. */

const APP = buildImage({ layers: [[{ path: 'app', content: 'x'.repeat(1_500_000) }]] });
const OTHER = buildImage({ layers: [[{ path: 'other', content: 'other' }]] });
const APP_ID = APP.id.slice(7, 19);

const registry = await RegistryDouble.start();
after(() => registry.stop());
const missing = (await missingForSandbox()) ?? false;

/** A world with APP as `app:1`, which a container uses, and as `more/app:2`; and with OTHER as `other:latest`. */
async function filled(t: TestContext) {
	const world = await ImageWorld.open(t);
	const store = await world.store(t);
	await store.add(pulled(APP, 'docker.io/library/app:1'));
	await store.add(pulled(OTHER, 'docker.io/library/other:latest'));
	await store.tag(APP.id, 'docker.io/more/app:2');
	await store.roots.createCopy({ containerId: 'ab_c1', owner: 'o', imageId: APP.id, setId: 'strip' });
	return { world, store };
}

test('without a store there are no images, and none is made', async (t) => {
	const world = await ImageWorld.open(t);
	assert.deepEqual(await world.ls(), done('REPOSITORY   TAG   IMAGE ID   SIZE   LAST USED   IN USE\n'));
	assert.deepEqual(await world.ls({ output: 'json' }), done('[]\n'));
	assert.deepEqual(await world.prune(true), done('Total reclaimed space: 0B\n'));
	assert.deepEqual(await world.rm(['app']), failed('No such image: app:latest'));
	assert.deepEqual(await world.tag('app', 'b'), failed('No such image: app:latest'));
	assert.ok(!existsSync(join(world.folder, 'images')));
});

test('images are listed with names, ids, sizes and their use', async (t) => {
	const { world } = await filled(t);
	const { stdout } = await world.ls();
	const rows = stdout.split('\n').map((line) => line.split(/ {2,}/));
	const find = (repository: string) => rows.find(([name]) => name === repository);
	assert.deepEqual(find('app')?.slice(1, 4), ['1', APP_ID, '1.5MB']);
	assert.deepEqual(find('more/app')?.slice(1, 4), ['2', APP_ID, '1.5MB']);
	assert.equal(find('app')?.at(-1), 'yes');
	assert.equal(find('other')?.at(-1), 'no');
	assert.deepEqual((await world.ls({ output: 'name' })).stdout.split('\n').sort(), [
		...['', 'app:1', 'more/app:2', 'other:latest'],
	]);
	assert.deepEqual((await world.ls({ quiet: true })).stdout.split('\n').length, 3);
	assert.ok((await world.ls({ quiet: true, trunc: false })).stdout.includes(`${APP.id}\n`));
	const documents = JSON.parse((await world.ls({ output: 'json' })).stdout);
	const app = documents.find(({ id }: { id: string }) => id === APP.id);
	assert.deepEqual(app.names, ['docker.io/library/app:1', 'docker.io/more/app:2']);
	assert.deepEqual([app.inUse, app.containers, app.sizeBytes], [true, ['c1'], 1_500_000]);
	assert.deepEqual(await world.ls({ output: 'yaml' }), {
		...failed(
			'unable to match a printer suitable for the output format "yaml", allowed formats are: json,name',
		),
	});
});

test('a name is removed, and the image with its last name', async (t) => {
	const { world, store } = await filled(t);
	assert.deepEqual(await world.rm(['more/app:2']), done('Untagged: more/app:2\n'));
	assert.deepEqual(await world.rm(['other', 'missing:1']), {
		code: 1,
		stdout: `Untagged: other:latest\nDeleted: ${OTHER.id}\n`,
		stderr: 'error: No such image: missing:1\n',
	});
	assert.equal((await world.rm(['missing:1'], true)).code, 0);
	assert.deepEqual(
		(await store.list()).map(({ id }) => id),
		[APP.id],
	);
});

test('an image in use keeps its last name unless that is forced, and is never removed', async (t) => {
	const { world, store } = await filled(t);
	await store.untag('docker.io/more/app:2');
	const conflict = `conflict: unable to remove repository reference "app:1" (must force) - container c1 is using its referenced image ${APP_ID}`;
	assert.deepEqual(await world.rm(['app:1']), failed(conflict));
	assert.match(
		(await world.rm([APP_ID])).stderr,
		/unable to delete \w+ \(must be forced\) - image is being used/,
	);
	assert.deepEqual(await world.rm(['app:1'], true), done('Untagged: app:1\n'));
	assert.match(
		(await world.rm([APP_ID], true)).stderr,
		/\(cannot be forced\) - image is being used by container c1/,
	);
	assert.match((await world.ls()).stdout, /<none> +<none> +/);
	assert.deepEqual(await world.prune(), done('Total reclaimed space: 0B\n'));
	await store.roots.remove('ab_c1');
	// A server holds the layers of an image for a while after it has made a container of it.
	await store.roots.forget([APP.id]);
	const { stdout } = await world.prune();
	assert.match(
		stdout,
		new RegExp(`^Deleted Images:\ndeleted: ${APP.id}\n\nTotal reclaimed space: 1.50\\dMB\n$`),
	);
	assert.equal((await store.list()).length, 1);
});

test('an id with names in several repositories is removed by force only', async (t) => {
	const { world, store } = await filled(t);
	await store.roots.remove('ab_c1');
	assert.match((await world.rm([APP_ID])).stderr, /\(must be forced\) - image is referenced in multiple/);
	const { code, stdout } = await world.rm([`sha256:${APP_ID}`], true);
	assert.equal(code, 0);
	assert.deepEqual(stdout.split('\n').sort(), [
		'',
		`Deleted: ${APP.id}`,
		'Untagged: app:1',
		'Untagged: more/app:2',
	]);
});

test('prune keeps images with names, and with --all those in use', async (t) => {
	const { world, store } = await filled(t);
	assert.deepEqual(await world.prune(), done('Total reclaimed space: 0B\n'));
	const { stdout } = await world.prune(true);
	assert.match(
		stdout,
		new RegExp(`^Deleted Images:\nuntagged: other:latest\ndeleted: ${OTHER.id}\n\nTotal `),
	);
	assert.deepEqual(
		(await store.list()).map(({ id }) => id),
		[APP.id],
	);
});

test('tag gives a further name, by name or id', async (t) => {
	const { world, store } = await filled(t);
	assert.deepEqual(await world.tag(APP_ID, 'other'), done(''));
	assert.equal((await store.find('docker.io/library/other:latest'))?.id, APP.id);
	assert.deepEqual(
		await world.tag('app:1', 'Bad'),
		failed(
			'"Bad" is not a valid repository/tag: invalid reference format: repository name (library/Bad) must be lowercase',
		),
	);
	const digest = `a@${APP.manifest.digest}`;
	assert.deepEqual(
		await world.tag('app:1', digest),
		failed('refusing to create a tag with a digest reference'),
	);
});

test('pull prints what docker prints, and pulls nothing twice', { skip: missing }, async (t) => {
	const world = await ImageWorld.open(t);
	registry.add('team/app', '1', APP);
	const name = `${registry.host}/team/app:1`;
	const printed = (status: string): Ended =>
		done(
			`1: Pulling from team/app\nDigest: ${APP.manifest.digest}\nStatus: ${status} for ${name}\n${name}\n`,
		);
	assert.deepEqual(await world.pull([name]), printed('Downloaded newer image'));
	assert.deepEqual(await world.pull([name]), printed('Image is up to date'));
	assert.deepEqual(await world.pull([name], { quiet: true }), done(`${name}\n`));
	assert.deepEqual(await world.ls({ output: 'name' }), done(`${name}\n`));
	// All processes have closed the store.
	assert.deepEqual(readdirSync(join(world.folder, 'images/store/sessions')), []);
});

test('a failed pull reports why', { skip: missing }, async (t) => {
	const world = await ImageWorld.open(t);
	const { code, stderr } = await world.pull([`${registry.host}/missing:1`]);
	assert.equal(code, 1);
	assert.match(stderr, /^error: .*missing:1.*not found/);
	assert.deepEqual(
		await world.pull(['team/Bad']),
		failed('invalid reference format: repository name (team/Bad) must be lowercase'),
	);
});

test('an interrupted pull ends with its worker, and leaves no files', { skip: missing }, async (t) => {
	const world = await ImageWorld.open(t);
	registry.add('slow', '1', OTHER);
	const asked = Promise.withResolvers<void>();
	registry.fault = ({ url }) => {
		if (!url.includes('/blobs/')) return false;
		asked.resolve();
		return true;
	};
	t.after(() => {
		registry.fault = () => false;
	});
	const { ended, interrupt } = world.cli.start((context) =>
		pullImages(context, [`${registry.host}/slow:1`], {}),
	);
	await asked.promise;
	interrupt('SIGTERM');
	assert.deepEqual(await ended, { code: 143, stdout: '1: Pulling from slow\n', stderr: '' });
	const store = join(world.folder, 'images/store');
	for (const name of ['sessions', 'layers', 'blobs', 'images'])
		assert.deepEqual(readdirSync(join(store, name)), []);
});

test('the program ends with the exit code of the command', { skip: missing }, async (t) => {
	const world = await ImageWorld.open(t);
	registry.add('team/app', '1', APP);
	const name = `${registry.host}/team/app:1`;
	const images = async (...args: readonly string[]): Promise<Ended> => {
		const { code, stdout, stderr } = await runStint(t, ['images', ...args, '--data-dir', world.folder]);
		return { code, stdout, stderr };
	};
	assert.deepEqual(await images('pull', '-q', name), done(`${name}\n`));
	assert.deepEqual(await images('-o', 'name'), done(`${name}\n`));
	assert.deepEqual(await images('rm', 'missing'), failed('No such image: missing:latest'));
	const elsewhere = ['--image-dir', join(world.folder, 'elsewhere')];
	assert.deepEqual(await images('-q', ...elsewhere), done(''));
	assert.deepEqual(await images('-q', '--image-dir', ''), failed('--image-dir: must not be empty'));
	const server = await runStint(t, ['server', '--data-dir', join(world.folder, 'server'), ...elsewhere]);
	assert.deepEqual(
		[server.code, server.stderr],
		[1, 'error: --image-dir: the runtime process has no folder of images; use it with --runtime sandbox\n'],
	);
	assert.match(
		(await images('pull', name, '--image-dir', '/proc/x')).stderr,
		/^error: the images cannot be used/,
	);
});
