import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { digestOf } from '../digest.ts';
import { machinePlatform } from '../manifests/platform.ts';
import type { ImageStore } from '../store/image-store.ts';
import { type ArchiveEntry, tarOf } from '../testing/archive.ts';
import { buildImage, writeLayout } from '../testing/image-builder.ts';
import { testIndex } from '../testing/test-image.ts';
import { openTestStore, pulled } from '../testing/test-store.ts';
import { testFolder } from '../testing/trees.ts';
import { loadImages } from './load-images.ts';
import { saveImages } from './save-images.ts';

const BASE = [{ path: 'etc/' }, { path: 'etc/os', content: 'linux' }];
const ONE = buildImage({ layers: [BASE, [{ path: 'app', content: 'one' }]] });
const TWO = buildImage({ layers: [BASE, [{ path: 'app', content: 'two' }]], compression: 'zstd' });

async function load(store: ImageStore, archive: Uint8Array) {
	const loaded = await loadImages(store, piecesOf(archive), { platform: machinePlatform('x64') });
	return loaded.map(({ image }) => image);
}

async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
	yield bytes.subarray(0, 1000);
	yield bytes.subarray(1000);
}

async function save(store: ImageStore, names: readonly string[]): Promise<Buffer> {
	const images = await Promise.all(
		names.map(async (name) => {
			const image = (await store.find(name)) ?? assert.fail(`no ${name}`);
			return { image, names: image.names.map((each) => each.name).filter((each) => each === name) };
		}),
	);
	return Buffer.concat(await Array.fromAsync(saveImages(store, images)));
}

/** A document of the archive by its path. */
function fileIn(folder: string, archive: Buffer, path: string): string {
	writeFileSync(join(folder, 'archive.tar'), archive);
	return execFileSync('tar', ['-xOf', join(folder, 'archive.tar'), path], { encoding: 'utf8' });
}

test('what is saved is loaded with the same digests and names, and saved again as the same bytes', async (t) => {
	const store = await openTestStore(t, { keepsBlobs: true });
	await store.add(pulled(ONE, 'docker.io/library/one:1'));
	await store.add(pulled(TWO, 'localhost:5000/two:latest'));
	const names = ['docker.io/library/one:1', 'localhost:5000/two:latest', ONE.id];
	const archive = await save(store, names);
	const other = await openTestStore(t, { keepsBlobs: true });
	for (const packed of [archive, gzipSync(archive)]) {
		const loaded = await load(other, packed);
		assert.deepEqual(new Set(loaded.map(({ id }) => id)), new Set([ONE.id, TWO.id]));
	}
	assert.deepEqual(await save(other, names), archive);
	const root = await other.roots.createCopy({
		containerId: 'c',
		owner: '/data',
		imageId: TWO.id,
		setId: 'keep',
	});
	assert.deepEqual(readdirSync(root.merged).sort(), ['app', 'etc']);
	const docker = JSON.parse(fileIn(testFolder(t), archive, 'manifest.json'));
	assert.deepEqual(
		docker.map(({ RepoTags }: { RepoTags: string[] }) => RepoTags),
		[['one:1'], ['localhost:5000/two:latest'], []],
	);
	assert.ok(docker[0].Layers.every((path: string) => path.startsWith('blobs/sha256/')));
});

test('an image whose layers were not kept is not written', async (t) => {
	const store = await openTestStore(t);
	await store.add(pulled(ONE, 'a:1'));
	await assert.rejects(save(store, ['a:1']), {
		name: 'LayersNotKeptError',
		message: /^the layers of a:1 were not kept as they came/,
	});
});

/** An OCI image layout as a tar archive, made by GNU tar. */
function layoutArchive(folder: string, images: Parameters<typeof writeLayout>[1]): Buffer {
	writeLayout(folder, images);
	return execFileSync('tar', ['-C', folder, '-cf', '-', '.'], { maxBuffer: 1 << 26 });
}

test('an image layout is loaded, and of an index the image for the platform', async (t) => {
	const folder = testFolder(t);
	const arm = buildImage({ layers: [BASE], platform: { os: 'linux', architecture: 'arm64' } });
	const multi = testIndex([
		{ image: arm, platform: { os: 'linux', architecture: 'arm64' } },
		{ image: ONE, platform: { os: 'linux', architecture: 'amd64' } },
	]);
	const store = await openTestStore(t);
	const loaded = await load(store, layoutArchive(join(folder, 'a'), { 'multi:1': multi, 'r.io/two:2': TWO }));
	assert.deepEqual(
		loaded.map(({ id, names }) => [id, names.map(({ name }) => name)]),
		[
			[ONE.id, ['docker.io/library/multi:1']],
			[TWO.id, ['r.io/two:2']],
		],
	);
	assert.equal(loaded[0]?.names[0]?.targetDigest, multi.manifest.digest);
	const none = layoutArchive(join(folder, 'b'), {
		'x:1': { manifest: arm.manifest, content: new Map([...arm.content].slice(-1)) },
	});
	await assert.rejects(load(store, none), {
		name: 'ManifestError',
		message: /the archive has no file blobs\/sha256/,
	});
});

/** An archive as Docker 24 wrote it; `change` may make it a hostile one. */
function dockerArchive(change: (entries: ArchiveEntry[]) => ArchiveEntry[] = (entries) => entries): Buffer {
	const layers = [tarOf(BASE), tarOf([{ path: 'app', content: 'docker' }])];
	const config = JSON.stringify({
		os: 'linux',
		architecture: 'amd64',
		config: { Cmd: ['/app'] },
		rootfs: { type: 'layers', diff_ids: layers.map((layer) => digestOf(layer)) },
	});
	const [id = '', paths] = [digestOf(config).slice(7), ['l0/layer.tar', 'l1/layer.tar', 'l2/layer.tar']];
	return tarOf(
		change([
			{ path: `${id}.json`, content: config },
			{ path: 'l0/', mode: 0o755 },
			{ path: 'l0/layer.tar', content: layers[0] ?? '' },
			{ path: 'l1/layer.tar', to: '../l2/layer.tar' },
			{ path: 'l2/layer.tar', content: layers[1] ?? '' },
			{
				path: 'manifest.json',
				content: JSON.stringify([
					{ Config: `${id}.json`, RepoTags: ['app:1', 'r.io/app:2'], Layers: paths.slice(0, 2) },
				]),
			},
		]),
	);
}

test('an archive of an old Docker, with links between layers, is loaded', async (t) => {
	const store = await openTestStore(t);
	const [image] = await load(store, dockerArchive());
	assert.deepEqual(image?.names.map(({ name }) => name).sort(), ['docker.io/library/app:1', 'r.io/app:2']);
	assert.deepEqual((await store.config(image?.id ?? '')).cmd, ['/app']);
	assert.equal(image?.unpackedBytes, 11);
	assert.equal((await load(store, dockerArchive()))[0]?.id, image?.id);
	await store.tag(image?.id ?? '', 'docker.io/library/else:1');
	const [again] = await loadImages(store, piecesOf(dockerArchive()), { platform: machinePlatform('x64') });
	assert.deepEqual(again?.names, ['docker.io/library/app:1', 'r.io/app:2']);
});

test('hostile and damaged archives are refused, and nothing remains of them', async (t) => {
	const store = await openTestStore(t);
	const replace = (path: string, entry: Partial<ArchiveEntry>) =>
		dockerArchive((entries) => entries.map((each) => (each.path === path ? { ...each, ...entry } : each)));
	const manifest = (value: unknown) => replace('manifest.json', { content: JSON.stringify(value) });
	const cases: readonly (readonly [Buffer, RegExp])[] = [
		[tarOf([]), /the archive has no file manifest.json/],
		[tarOf([{ path: '../x' }]), /contains "\.\."/],
		[replace('l1/layer.tar', { to: '/etc/passwd' }), /the archive has no file l1\/layer.tar/],
		[replace('l1/layer.tar', { to: '../../../../../../etc/passwd' }), /has no file l1/],
		[replace('l2/layer.tar', { content: tarOf([{ path: 'other' }]) }), /has the digest/],
		[replace('l0/layer.tar', { kind: 'folder', content: '' }), /has no file l0/],
		[manifest([{ Config: '../../../../etc/passwd', Layers: [] }]), /has no file/],
		[manifest([{ Config: 1 }]), /Config is not a string/],
		[manifest({}), /images is not a list/],
		[manifest([{ Config: 'l0/layer.tar', Layers: [] }]), /image config: /],
		[replace('manifest.json', { content: '[' }), /manifest.json: /],
		[tarOf([{ path: 'index.json', content: '{}' }]), /index.json|schemaVersion/],
		[Buffer.from('no archive at all'.repeat(100)), /wrong checksum/],
	];
	for (const [archive, message] of cases) await assert.rejects(load(store, archive), { message });
	assert.deepEqual(await store.list(), []);
	await store.sweep();
	for (const folder of [store.folders.layers, store.folders.blobs]) assert.deepEqual(readdirSync(folder), []);
	const [session = ''] = readdirSync(store.folders.sessions);
	assert.deepEqual(readdirSync(join(store.folders.sessions, session)).sort(), ['lease.json', 'lock']);
});
