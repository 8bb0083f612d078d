import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { VirtualClock } from '../../base/testing/virtual-clock.ts';
import { digestOf } from '../digest.ts';
import type { Descriptor } from '../manifests/document.ts';
import { type BuiltImage, buildImage } from '../testing/image-builder.ts';
import { testIndex } from '../testing/test-image.ts';
import { openTestStore, pulled } from '../testing/test-store.ts';
import { testFolder } from '../testing/trees.ts';
import type { ImageStore, ImageToAdd } from './image-store.ts';

const BASE = [
	{ path: 'etc/' },
	{ path: 'etc/passwd', content: 'root' },
	{ path: 'bin/sh', content: 'shell' },
];
const APP = [{ path: 'app', content: 'app' }, { path: 'etc/.wh.passwd' }];
const ONE = buildImage({ layers: [BASE, APP], config: { Cmd: ['/app'] } });
const TWO = buildImage({ layers: [BASE, [{ path: 'other', content: 'other' }]] });

/** The digest of the lowest layer of both. */
const BASE_DIGEST = [...ONE.content.keys()].find((digest) => TWO.content.has(digest));

/** The uppermost layer of an image. */
function descriptorOf({ content, manifest }: BuiltImage): Descriptor {
	const { layers } = JSON.parse(new TextDecoder().decode(content.get(manifest.digest)));
	return layers.at(-1);
}

function contents({ folders }: ImageStore) {
	const list = (folder: string) => readdirSync(folder).sort();
	return {
		layers: list(folders.layers).length,
		blobs: list(folders.blobs).length,
		images: list(folders.images).length,
		refs: list(folders.refs).length,
		containers: list(folders.containers),
		sessions: list(folders.sessions).length,
	};
}

const EMPTY = { layers: 0, blobs: 0, images: 0, refs: 0, containers: [], sessions: 1 };

test('an added image is found by id and by name, with its sizes and configuration', async (t) => {
	const clock = new VirtualClock(1_700_000_000_000);
	const store = await openTestStore(t, { clock });
	const added = await store.add(pulled(ONE, 'docker.io/library/one:1'));
	assert.equal(added.id, ONE.id);
	assert.equal(added.manifestDigest, ONE.manifest.digest);
	const { size } = ONE.manifest;
	const blobs = [...ONE.content.values()].reduce((sum, { length }) => sum + length, 0);
	assert.equal(added.contentBytes, blobs);
	assert.ok(size < blobs);
	assert.equal(added.unpackedBytes, 12);
	assert.deepEqual([added.addedAt, added.lastUsedAt], [1_700_000_000_000, 1_700_000_000_000]);
	assert.deepEqual(
		added.names.map(({ name }) => name),
		['docker.io/library/one:1'],
	);
	assert.deepEqual(await store.find('docker.io/library/one:1'), added);
	assert.deepEqual(await store.find(ONE.id), added);
	assert.deepEqual(await store.list(), [added]);
	assert.deepEqual((await store.config(ONE.id)).cmd, ['/app']);
	for (const missing of ['docker.io/library/one:2', TWO.id, 'one', '../x', 'sha256:..'])
		assert.equal(await store.find(missing), undefined);
	assert.equal(statSync(store.folders.root).mode & 0o777, 0o700);
	assert.deepEqual(contents(store), { ...EMPTY, layers: 2, blobs: 2, images: 1, refs: 1 });
});

test('layers are shared, and downloaded once for all pulls at the same time', async (t) => {
	const root = join(testFolder(t), 'images');
	const [store, other] = [await openTestStore(t, { root }), await openTestStore(t, { root })];
	const opened: string[] = [];
	const note = (digest: string) => opened.push(digest);
	await Promise.all([
		store.add(pulled(ONE, 'a:1', note)),
		store.add(pulled(ONE, 'a:2', note)),
		store.add(pulled(TWO, 'b:1', note)),
		// Another process: it shares nothing but the folder.
		other.add(pulled(ONE, 'a:3', note)),
		other.add(pulled(TWO, 'b:2', note)),
	]);
	assert.equal(opened.length, new Set(opened).size);
	assert.equal(opened.length, 3);
	assert.deepEqual(contents(store), { ...EMPTY, layers: 3, blobs: 4, images: 2, refs: 5, sessions: 2 });
	await store.add(pulled(ONE, 'a:4', () => assert.fail('downloaded again')));
});

test('a pull that aborts ends at once, and the download continues for the others', async (t) => {
	const store = await openTestStore(t);
	const controller = new AbortController();
	const { promise: gate, resolve: openGate } = Promise.withResolvers<void>();
	const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
	const slowly = async () => {
		begin();
		await gate;
	};
	const first = store.add({ ...pulled(ONE, 'a:1', slowly), signal: controller.signal });
	await begun;
	// The second pull has joined the download of the layer below once it asks for its own layer.
	const { promise: joined, resolve: confirm } = Promise.withResolvers<void>();
	const second = store.add(
		pulled(TWO, 'a:2', (digest) => {
			assert.notEqual(digest, BASE_DIGEST, 'downloaded twice');
			confirm();
		}),
	);
	await joined;
	controller.abort(new Error('no longer needed'));
	await assert.rejects(first, /no longer needed/);
	openGate();
	assert.equal((await second).names[0]?.name, 'a:2');
});

test('a failed pull leaves no image, and the next one succeeds', async (t) => {
	const store = await openTestStore(t);
	const failing = pulled(ONE, 'a:1', () => Promise.reject(new Error('connection reset')));
	await assert.rejects(store.add(failing), /connection reset/);
	const other = pulled(TWO, 'b:1');
	const swapped = {
		...pulled(ONE, 'a:1'),
		openLayer: () => other.openLayer(descriptorOf(TWO), AbortSignal.abort()),
	};
	await assert.rejects(store.add(swapped), { name: 'LayerError', reason: 'digest' });
	const { documents } = pulled(ONE, 'a:1');
	const damaged = new Map([...documents, [ONE.id, Buffer.from('{}')]]);
	await assert.rejects(store.add({ ...pulled(ONE, 'a:1'), documents: damaged }), { name: 'DigestError' });
	for (const digest of documents.keys()) {
		const incomplete = new Map([...documents].filter(([each]) => each !== digest));
		const image = { ...pulled(ONE, 'a:1'), documents: incomplete };
		await assert.rejects(store.add(image), { name: 'ManifestError' });
	}
	assert.deepEqual(await store.list(), []);
	await store.sweep();
	assert.deepEqual(contents(store), EMPTY);
	await store.add(pulled(ONE, 'a:1'));
	assert.equal((await store.list()).length, 1);
});

test('the failure of a layer ends the downloads of the others', async (t) => {
	const store = await openTestStore(t);
	const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
	const image: ImageToAdd = {
		...pulled(ONE, 'a:1'),
		openLayer: async ({ digest }, signal) => {
			if (digest !== BASE_DIGEST) {
				await begun;
				throw new Error('connection reset');
			}
			begin();
			await once(signal, 'abort');
			throw signal.reason;
		},
	};
	await assert.rejects(store.add(image), /connection reset/);
	assert.deepEqual(contents(store).layers, 0);
});

test('removal keeps what other images, roots of containers and running pulls need', async (t) => {
	const store = await openTestStore(t);
	await store.add(pulled(ONE, 'a:1'));
	const two = await store.add(pulled(TWO, 'b:1'));
	await store.tag(TWO.id, 'b:2');
	await store.roots.createCopy({ containerId: 'c1', owner: '/data', imageId: ONE.id, setId: 'keep' });
	await store.remove([ONE.id]);
	assert.equal(await store.find('a:1'), undefined);
	assert.deepEqual(await store.list(), [{ ...two, names: (await store.find(TWO.id))?.names ?? [] }]);
	assert.deepEqual([...(await store.roots.imagesInUse())], [ONE.id]);
	assert.deepEqual(contents(store), {
		...EMPTY,
		layers: 3,
		blobs: 3,
		images: 1,
		refs: 2,
		containers: ['c1'],
	});
	await store.roots.remove('c1');
	await store.roots.remove('c1');
	await store.untag('b:1');
	await store.untag('b:1');
	assert.deepEqual(
		(await store.find(TWO.id))?.names.map(({ name }) => name),
		['b:2'],
	);
	await store.sweep();
	assert.deepEqual(contents(store), { ...EMPTY, layers: 2, blobs: 2, images: 1, refs: 1 });
	// A sweep during a pull, after its first layer is complete.
	await store.remove([TWO.id]);
	const { promise: swept, resolve } = Promise.withResolvers<void>();
	const lowest = (await store.add(pulled(ONE, 'a:1'))).layers[0];
	await store.remove([ONE.id]);
	const opened: string[] = [];
	const pull = store.add(
		pulled(ONE, 'a:1', async (digest) => {
			opened.push(digest);
			if (digest !== lowest?.digest) await swept;
		}),
	);
	while (!existsSync(store.folders.layer(lowest?.chainId ?? ''))) await new Promise(setImmediate);
	await store.sweep();
	resolve();
	await pull;
	assert.equal(opened.length, 2);
	assert.equal(readFileSync(join(store.layers.filesOf(lowest?.chainId ?? ''), 'bin/sh'), 'utf8'), 'shell');
});

test('the digest of an index is that of the name, and a later pull moves the name', async (t) => {
	const store = await openTestStore(t);
	const platform = { os: 'linux', architecture: 'amd64' };
	const { manifest: index, content } = testIndex([{ image: ONE, platform }]);
	const image = pulled(ONE, 'a:latest');
	const documents = new Map([...image.documents, [index.digest, content.get(index.digest) ?? Buffer.of()]]);
	const one = await store.add({ ...image, target: index.digest, documents });
	assert.deepEqual(
		one.names.map(({ targetDigest }) => targetDigest),
		[index.digest],
	);
	await store.sweep();
	assert.deepEqual(await store.readBlob(index.digest).then((bytes) => digestOf(bytes)), index.digest);
	await store.add(pulled(TWO, 'a:latest'));
	assert.equal((await store.find('a:latest'))?.id, TWO.id);
	assert.deepEqual((await store.find(ONE.id))?.names, []);
	await store.sweep();
	assert.ok(!existsSync(store.folders.blob(index.digest)));
});

test('which credentials pulled an image is recorded by repository', async (t) => {
	const store = await openTestStore(t);
	const secret = { uid: 'u', namespace: 'n', name: 's', credentialHash: '1' };
	const access = { everyPod: false, secrets: [secret], serviceAccounts: [] };
	await store.add({ ...pulled(ONE, 'r:5000/a:1'), access });
	const changed = { ...secret, credentialHash: '2' };
	const account = { uid: 'a', namespace: 'n', name: 'sa' };
	await store.add({
		...pulled(ONE, 'r:5000/a:2'),
		access: { ...access, secrets: [changed, { ...secret, uid: 'other' }], serviceAccounts: [account] },
	});
	const found = await store.add({ ...pulled(ONE, 'r:5000/b@sha256:0'), access });
	assert.deepEqual(found.access, {
		'r:5000/a': {
			everyPod: false,
			secrets: [changed, { ...secret, uid: 'other' }],
			serviceAccounts: [account],
		},
		'r:5000/b': access,
	});
	const everyPod = await store.add(pulled(ONE, 'r:5000/a:1'));
	const all = { everyPod: true, secrets: [], serviceAccounts: [] };
	assert.deepEqual(everyPod.access['r:5000/a'], all);
	assert.deepEqual((await store.add({ ...pulled(ONE, 'r:5000/a:1'), access })).access['r:5000/a'], all);
});

test('damaged documents are not used, and replaced by the next pull', async (t) => {
	const store = await openTestStore(t);
	await store.add(pulled(ONE, 'a:1'));
	writeFileSync(store.folders.blob(ONE.id), '{}');
	await assert.rejects(store.config(ONE.id), { name: 'DigestError' });
	assert.equal(await store.presentBlob(ONE.id), undefined);
	assert.equal(await store.presentBlob(TWO.id), undefined);
	await store.add(pulled(ONE, 'a:1'));
	assert.deepEqual((await store.config(ONE.id)).cmd, ['/app']);
});

test('the last use of an image is recorded', async (t) => {
	const clock = new VirtualClock(1_700_000_000_000);
	const store = await openTestStore(t, { clock });
	await store.add(pulled(ONE, 'a:1'));
	await clock.advance(90_500);
	await store.touch(ONE.id);
	await store.touch(TWO.id);
	assert.equal((await store.find(ONE.id))?.lastUsedAt, 1_700_000_090_500);
	assert.equal((await store.find(ONE.id))?.addedAt, 1_700_000_000_000);
});

test('blobs of layers are kept if asked for, also of layers that were unpacked before', async (t) => {
	const root = join(testFolder(t), 'images');
	const plain = await openTestStore(t, { root });
	await plain.add(pulled(ONE, 'a:1'));
	const keeping = await openTestStore(t, { root, keepsBlobs: true });
	const damaged = {
		...ONE,
		content: new Map([...ONE.content].map(([digest, bytes]) => [digest, bytes.subarray(1)])),
	};
	const { openLayer } = pulled(damaged, 'a:1');
	await assert.rejects(keeping.add({ ...pulled(ONE, 'a:1'), openLayer }), { name: 'DigestError' });
	await keeping.add(pulled(ONE, 'a:1'));
	assert.deepEqual(contents(keeping), { ...EMPTY, layers: 2, blobs: 4, images: 1, refs: 1, sessions: 2 });
	// A layer is unpacked again from its blob, without a download.
	await keeping.remove([TWO.id]);
	const [lowest] = (await keeping.find(ONE.id))?.layers ?? [];
	rmSync(keeping.folders.layer(lowest?.chainId ?? ''), { recursive: true });
	await keeping.add(pulled(ONE, 'a:1', () => assert.fail('downloaded again')));
	assert.equal(contents(keeping).layers, 2);
});

test('a store holds the layers of an image after a root was made of it, until it removes the image itself', async (t) => {
	const store = await openTestStore(t);
	await store.add(pulled(ONE, 'one:1'));
	await store.roots.createCopy({ containerId: 'c', owner: 'o', imageId: ONE.id, setId: 'strip' });
	await store.roots.remove('c');
	const other = await openTestStore(t, { root: store.folders.root });
	await other.remove([ONE.id]);
	assert.deepEqual(contents(store), { ...EMPTY, layers: 2, blobs: 1, sessions: 2 });
	await store.remove([ONE.id]);
	assert.deepEqual(contents(store), { ...EMPTY, sessions: 2 });
});
