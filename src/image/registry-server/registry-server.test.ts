import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { VirtualClock } from '../../base/testing/virtual-clock.ts';
import { digestOf } from '../digest.ts';
import { MEDIA_TYPES } from '../manifests/media-types.ts';
import type { ImageStore } from '../store/image-store.ts';
import { pushAs } from '../testing/push-image.ts';
import { type TestImage, testImage, testIndex } from '../testing/test-image.ts';
import { openRegistry } from '../testing/test-registry.ts';
import { openTestStore } from '../testing/test-store.ts';
import type { RegistryServerOptions } from './registry-server.ts';

interface World {
	readonly store: ImageStore;
	readonly host: string;
	/** Closes the registry; at the end of a test, its folder is removed first. */
	close(): Promise<void>;
	/** Sends a request to a path below `/v2/`. */
	call(method: string, path: string, options?: Omit<RequestInit, 'method'>): Promise<Response>;
	/** The names of the files that uploads have not finished. */
	drafts(): readonly string[];
}

async function world(t: TestContext, options: Partial<RegistryServerOptions> = {}): Promise<World> {
	const store = await openTestStore(t);
	const registry = await openRegistry(t, store, options);
	const { port } = registry;
	return {
		store,
		close: () => registry.close(),
		host: `localhost:${port}`,
		call: (method, path, init = {}) =>
			fetch(new URL(`/v2/${path}`, `http://localhost:${port}`), { method, ...init }),
		drafts: () =>
			readdirSync(store.folders.sessions).flatMap((session) =>
				readdirSync(join(store.folders.sessions, session)).filter((name) => name.startsWith('draft-')),
			),
	};
}

/** The status and the code of a refusal. */
async function refusal(answer: Promise<Response>): Promise<string> {
	const { status, body } = await answer.then(async (each) => ({
		status: each.status,
		body: JSON.parse(await each.text()),
	}));
	assert.deepEqual(Object.keys(body.errors[0]).sort(), ['code', 'detail', 'message']);
	return `${status} ${body.errors[0].code}`;
}

const BYTES = Buffer.from('some bytes of a layer');
const DIGEST = digestOf(BYTES);

function tagsOf(text: string): unknown {
	return JSON.parse(text).tags;
}

async function startUpload({ call }: World, query = ''): Promise<string> {
	const answer = await call('POST', `app/blobs/uploads/${query}`);
	assert.equal(answer.status, 202);
	return (answer.headers.get('location') ?? '').replace('/v2/', '');
}

test('a blob is uploaded in one request, in two, or in pieces, and read in parts', async (t) => {
	const it = await world(t);
	assert.equal((await it.call('GET', '')).status, 200);
	const whole = await it.call('POST', `app/blobs/uploads/?digest=${DIGEST}`, { body: BYTES });
	assert.equal(whole.status, 201);
	assert.equal(whole.headers.get('location'), `/v2/app/blobs/${DIGEST}`);

	const pieces = Buffer.from('in two pieces');
	const upload = await startUpload(it);
	const first = await it.call('PATCH', upload, {
		body: pieces.subarray(0, 6),
		headers: { 'Content-Range': '0-5' },
	});
	assert.deepEqual([first.status, first.headers.get('range')], [202, '0-5']);
	const wrong = it.call('PATCH', upload, { body: pieces, headers: { 'Content-Range': '9-21' } });
	assert.equal(await refusal(wrong), '416 RANGE_INVALID');
	const seen = await it.call('GET', upload);
	assert.deepEqual([seen.status, seen.headers.get('range')], [204, '0-5']);
	const last = await it.call('PUT', `${upload}?digest=${digestOf(pieces, 'sha512')}`, {
		body: pieces.subarray(6),
	});
	assert.equal(last.status, 201);

	const path = `app/blobs/${digestOf(pieces, 'sha512')}`;
	const head = await it.call('HEAD', path);
	assert.deepEqual([head.status, head.headers.get('content-length')], [200, '13']);
	assert.equal(await (await it.call('GET', path)).text(), 'in two pieces');
	for (const [range, status, expected] of [
		['bytes=3-5', 206, 'two'],
		['bytes=7-', 206, 'pieces'],
		['bytes=-6', 206, 'pieces'],
		['bytes=0-99', 206, 'in two pieces'],
		['bytes=0-1,3-4', 200, 'in two pieces'],
	] as const) {
		const part = await it.call('GET', path, { headers: { Range: range } });
		assert.deepEqual([part.status, await part.text()], [status, expected], range);
	}
	assert.equal(await refusal(it.call('GET', path, { headers: { Range: 'bytes=13-' } })), '416 RANGE_INVALID');
	assert.deepEqual(it.drafts(), []);
});

test('an upload with another digest is refused and leaves nothing', async (t) => {
	const it = await world(t);
	const upload = await startUpload(it);
	const answer = await refusal(it.call('PUT', `${upload}?digest=${digestOf('other')}`, { body: BYTES }));
	assert.equal(answer, '400 DIGEST_INVALID');
	assert.equal(await refusal(it.call('GET', upload)), '404 BLOB_UPLOAD_UNKNOWN');
	assert.equal(await refusal(it.call('GET', `app/blobs/${DIGEST}`)), '404 BLOB_UNKNOWN');
	assert.equal((await it.call('HEAD', `app/blobs/${DIGEST}`)).status, 404);
	assert.deepEqual([it.drafts(), readdirSync(it.store.folders.blobs)], [[], []]);
});

test('uploads that break off can be continued, and end when no client continues them', async (t) => {
	const clock = new VirtualClock();
	const it = await world(t, { clock });
	const upload = await startUpload(it);
	await new Promise<void>((resolve) => {
		const [, port] = it.host.split(':');
		const sending = request({ host: '127.0.0.1', port, path: `/v2/${upload}`, method: 'PATCH' });
		sending.setHeader('Content-Length', 100);
		sending.on('error', () => {});
		sending.write(BYTES.subarray(0, 4), () => setImmediate(() => sending.destroy()));
		sending.on('close', resolve);
	});
	let range = '';
	while (range !== '0-3') range = (await it.call('GET', upload)).headers.get('range') ?? '';
	const other = await startUpload(it);
	assert.equal((await it.call('PATCH', upload, { body: BYTES.subarray(4) })).status, 202);
	assert.equal((await it.call('PUT', `${upload}?digest=${DIGEST}`)).status, 201);
	assert.equal(it.drafts().length, 1);
	clock.advance(3_600_000);
	while (it.drafts().length > 0) await new Promise((resolve) => setImmediate(resolve));
	assert.equal(await refusal(it.call('PATCH', other, { body: BYTES })), '404 BLOB_UPLOAD_UNKNOWN');
	const cancelled = await startUpload(it);
	assert.equal((await it.call('DELETE', cancelled)).status, 204);
	assert.equal(await refusal(it.call('PUT', `${cancelled}?digest=${DIGEST}`)), '404 BLOB_UPLOAD_UNKNOWN');
	await it.close();
});

test('a connection on which nothing moves is closed', async (t) => {
	const it = await world(t, { stallMs: 50 });
	const upload = await startUpload(it);
	const [, port] = it.host.split(':');
	const socket = connect(Number(port), '127.0.0.1');
	socket.write(`PATCH /v2/${upload} HTTP/1.1\r\nHost: ${it.host}\r\nContent-Length: 100\r\n\r\nabc`);
	await new Promise((resolve) => socket.on('close', resolve).on('error', () => {}));
});

test('the same blob is uploaded by several clients at once', async (t) => {
	const it = await world(t);
	const answers = await Promise.all(
		['app', 'app', 'other'].map((name) =>
			it.call('POST', `${name}/blobs/uploads/?digest=${DIGEST}`, { body: BYTES }),
		),
	);
	assert.deepEqual(
		answers.map(({ status }) => status),
		[201, 201, 201],
	);
	assert.deepEqual([it.drafts(), readdirSync(it.store.folders.blobs).length], [[], 1]);
	const upload = await startUpload(it);
	const sending = request({ port: it.host.split(':')[1], path: `/v2/${upload}`, method: 'PATCH' });
	sending.on('error', () => {});
	sending.write(BYTES);
	let busy = '';
	while (!busy.startsWith('409'))
		busy = await refusal(it.call('PATCH', upload, { body: BYTES.subarray(0, 0) })).catch(() => '');
	assert.equal(busy, '409 BLOB_UPLOAD_INVALID');
	sending.destroy();
});

test('a full disk is reported, and the upload leaves nothing', async (t) => {
	const it = await world(t, { reserveBytes: Number.MAX_SAFE_INTEGER });
	const upload = await startUpload(it);
	assert.equal(await refusal(it.call('PATCH', upload, { body: BYTES })), '507 UNKNOWN');
	const whole = it.call('POST', `app/blobs/uploads/?digest=${DIGEST}`, { body: BYTES });
	assert.equal(await refusal(whole), '507 UNKNOWN');
	assert.deepEqual(it.drafts(), []);
});

test('malformed requests are refused with the codes of the specification', async (t) => {
	const it = await world(t);
	const json = (value: unknown, type: string = MEDIA_TYPES.manifest): Omit<RequestInit, 'method'> => ({
		body: typeof value === 'string' ? value : JSON.stringify(value),
		headers: { 'Content-Type': type },
	});
	const descriptor = { mediaType: MEDIA_TYPES.config, digest: DIGEST, size: BYTES.length };
	const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPES.manifest, config: descriptor, layers: [] };
	const cases: readonly (readonly [string, string, string, Omit<RequestInit, 'method'>?])[] = [
		['GET', 'UPPER/tags/list', '400 NAME_INVALID'],
		['GET', `${'a/'.repeat(200)}a/tags/list`, '400 NAME_INVALID'],
		['GET', '..%2f..%2fetc/manifests/1', '400 NAME_INVALID'],
		['GET', 'a%00/manifests/1', '400 NAME_INVALID'],
		['GET', 'a%zz/manifests/1', '400 NAME_INVALID'],
		['GET', 'app/tags/list', '404 NAME_UNKNOWN'],
		['GET', 'app/manifests/1', '404 NAME_UNKNOWN'],
		['GET', 'app/manifests/-1', '400 TAG_INVALID'],
		['GET', 'app/manifests/sha256:12', '400 DIGEST_INVALID'],
		['GET', `app/blobs/md5:${'0'.repeat(32)}`, '400 DIGEST_INVALID'],
		['GET', 'app/referrers/x', '400 DIGEST_INVALID'],
		['GET', '_catalog?n=-1', '400 PAGINATION_NUMBER_INVALID'],
		['PUT', 'app/blobs/uploads/', '405 UNSUPPORTED'],
		['GET', '../x', '404 UNSUPPORTED'],
		['POST', 'app/blobs/uploads/?digest=x', '400 DIGEST_INVALID'],
		['PUT', `app/blobs/uploads/x?digest=${DIGEST}`, '404 BLOB_UPLOAD_UNKNOWN'],
		['PUT', 'app/manifests/1', '400 MANIFEST_INVALID', json('{')],
		['PUT', 'app/manifests/1', '400 MANIFEST_INVALID', json({ ...manifest, schemaVersion: 1 })],
		['PUT', 'app/manifests/1', '400 MANIFEST_INVALID', json(manifest, 'text/plain')],
		['PUT', 'app/manifests/1', '400 MANIFEST_INVALID', json(manifest, MEDIA_TYPES.dockerManifest)],
		['PUT', 'app/manifests/1', '400 MANIFEST_BLOB_UNKNOWN', json(manifest)],
		['PUT', `app/manifests/${DIGEST}`, '400 DIGEST_INVALID', json(manifest)],
		['PUT', 'app/manifests/1', '413 SIZE_INVALID', json(`{"a":"${'x'.repeat(5 << 20)}"}`)],
		['DELETE', 'app/manifests/1', '404 NAME_UNKNOWN'],
		['DELETE', `app/blobs/${DIGEST}`, '404 BLOB_UNKNOWN'],
	];
	for (const [method, path, expected, init] of cases)
		assert.equal(await refusal(it.call(method, path, init)), expected, `${method} ${path.slice(0, 50)}`);
	assert.deepEqual(it.drafts(), []);
});

test('a request of a web page, or for another host, is refused', async (t) => {
	const it = await world(t, { hostNames: ['k3d-my-cluster-registry'] });
	const [, port] = it.host.split(':');
	const ask = (headers: Readonly<Record<string, string>>): Promise<number | undefined> =>
		new Promise((resolve) => {
			const asking = request({ host: '127.0.0.1', port, path: '/v2/', headers }, (answer) => {
				answer.resume();
				resolve(answer.statusCode);
			});
			asking.end();
		});
	for (const host of [it.host, `127.0.0.1:${port}`, `[::1]:${port}`, `a.localhost:${port}`, 'LOCALHOST'])
		assert.equal(await ask({ Host: host }), 200, host);
	assert.equal(await ask({ Host: `k3d-my-cluster-registry:${port}` }), 200);
	for (const host of ['evil.example', `evil.example:${port}`, 'localhost.evil.example', '10.0.0.1'])
		assert.equal(await ask({ Host: host }), 403, host);
	assert.equal(await ask({ Host: it.host, Origin: 'https://evil.example' }), 403);
	assert.equal(await ask({ Host: it.host, Origin: 'null' }), 403);
	for (const site of ['cross-site', 'same-site', 'same-origin'])
		assert.equal(await ask({ Host: it.host, 'Sec-Fetch-Site': site }), 403, site);
	assert.equal(await ask({ Host: it.host, 'Sec-Fetch-Site': 'none' }), 200);
});

test('images and indexes are pushed and listed; blobs are mounted from other repositories', async (t) => {
	const it = await world(t);
	const image = testImage({ layers: [Buffer.from('one'), Buffer.from('two')] });
	assert.deepEqual(await pushAs(`${it.host}/app:1`, image), ['uploaded', 'uploaded', 'uploaded']);
	assert.deepEqual(await pushAs(`${it.host}/app:2`, image, { chunkBytes: 10 }), Array(3).fill('present'));
	const mounted = await pushAs(`${it.host}/team/copy:1`, image, { mountFrom: 'app' });
	assert.deepEqual(mounted, Array(3).fill('mounted'));
	const index = testIndex([{ image, platform: { os: 'linux', architecture: 'amd64' } }]);
	await pushAs(`${it.host}/app:all`, index);
	const [list] = [await it.call('GET', 'app/manifests/all')];
	assert.equal(list?.headers.get('content-type'), MEDIA_TYPES.index);
	assert.equal(list?.headers.get('docker-content-digest'), index.manifest.digest);
	assert.equal(digestOf(await list.text()), index.manifest.digest);
	assert.deepEqual(await (await it.call('GET', 'app/tags/list')).json(), {
		name: 'app',
		tags: ['1', '2', 'all'],
	});
	const page = await it.call('GET', 'app/tags/list?n=2');
	assert.deepEqual(tagsOf(await page.text()), ['1', '2']);
	assert.equal(page.headers.get('link'), '</v2/app/tags/list?n=2&last=2>; rel="next"');
	const rest = await it.call('GET', 'app/tags/list?n=2&last=2');
	assert.deepEqual([tagsOf(await rest.text()), rest.headers.get('link')], [['all'], null]);
	assert.deepEqual(await (await it.call('GET', '_catalog?n=1')).json(), { repositories: ['app'] });
	assert.deepEqual(await (await it.call('GET', '_catalog?last=app')).json(), { repositories: ['team/copy'] });
});

test('referrers are listed by subject and kind, before the subject exists too', async (t) => {
	const it = await world(t);
	const subject = testImage();
	const about = (artifactType: string): Pick<TestImage, 'content' | 'manifest'> => {
		const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf('{}'), size: 2 };
		const { mediaType, digest, size } = subject.manifest;
		const text = JSON.stringify({
			...{ schemaVersion: 2, mediaType: MEDIA_TYPES.manifest, artifactType, config, layers: [config] },
			...{ subject: { mediaType, digest, size }, annotations: { of: artifactType } },
		});
		const manifest = { mediaType: MEDIA_TYPES.manifest, digest: digestOf(text), size: text.length };
		return {
			manifest,
			content: new Map([
				[config.digest, Buffer.from('{}')],
				[manifest.digest, Buffer.from(text)],
			]),
		};
	};
	const list = async (query = '') => {
		const answer = await it.call('GET', `app/referrers/${subject.manifest.digest}${query}`);
		const { manifests } = JSON.parse(await answer.text());
		const types = manifests.map(({ artifactType, annotations }: never) => [artifactType, annotations]);
		return [answer.headers.get('oci-filters-applied'), types.sort()];
	};
	assert.deepEqual(await list(), [null, []]);
	await pushAs(`${it.host}/app:sig`, about('test/signature'));
	await pushAs(`${it.host}/app:sbom`, about('test/sbom'));
	const sbom = ['test/sbom', { of: 'test/sbom' }];
	assert.deepEqual(await list(), [null, [sbom, ['test/signature', { of: 'test/signature' }]]]);
	assert.deepEqual(await list('?artifactType=test/sbom'), ['artifactType', [sbom]]);
});
