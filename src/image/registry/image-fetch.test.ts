import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { digestOf } from '../digest.ts';
import { errors, RegistryDouble, reply } from '../testing/registry-double.ts';
import { allOf, credentialsFor, RegistryWorld } from '../testing/registry-world.ts';
import { testImage, testIndex } from '../testing/test-image.ts';
import { fetchImage } from './image-fetch.ts';

const AMD64 = { os: 'linux', architecture: 'amd64' };
const ARM64 = { os: 'linux', architecture: 'arm64' };

describe('fetchImage', () => {
	let double: RegistryDouble;
	let world: RegistryWorld;
	beforeEach(async () => {
		double = await RegistryDouble.start();
		world = new RegistryWorld();
	});
	afterEach(async () => {
		world.registry.close();
		await double.stop();
	});

	test('resolves a tag, and reads manifest, configuration and layers', async () => {
		const image = testImage({ layers: [Buffer.from('one'), Buffer.from('two')], config: { Cmd: ['/app'] } });
		double.add('app', '1', image);
		const repository = await world.repository(`${double.host}/app:1`);
		const fetched = await fetchImage(repository, { platform: AMD64 });
		assert.equal(fetched.target.digest, image.manifest.digest);
		assert.deepEqual(fetched.config.cmd, ['/app']);
		assert.deepEqual([...fetched.documents.keys()], [image.manifest.digest, image.config.digest]);
		const layers = await Promise.all(fetched.manifest.layers.map((layer) => allOf(repository.blob(layer))));
		assert.deepEqual(
			layers.map((layer) => gunzipSync(layer).toString()),
			['one', 'two'],
		);
		assert.equal(fetched.credentialOrigin, undefined);
	});

	test('chooses the platform from an index, also from one in an index', async () => {
		const arm = testImage({ platform: ARM64 });
		const inner = testIndex([
			{ image: testImage(), platform: AMD64 },
			{ image: arm, platform: { ...ARM64, variant: 'v8' } },
		]);
		double.add('app', '1', inner);
		const index = { schemaVersion: 2, manifests: [inner.manifest] };
		const bytes = new TextEncoder().encode(JSON.stringify(index));
		double.addManifest('app:2', inner.manifest.mediaType, bytes);
		for (const tag of ['1', '2']) {
			const repository = await world.repository(`${double.host}/app:${tag}`);
			const fetched = await fetchImage(repository, { platform: ARM64 });
			assert.equal(fetched.descriptor.digest, arm.manifest.digest);
			assert.equal(fetched.target.digest, tag === '1' ? inner.manifest.digest : digestOf(bytes));
		}
	});

	test('reports as containerd that no platform suits, and hints which there are', async () => {
		const index = testIndex([{ image: testImage({ platform: ARM64 }), platform: ARM64 }]);
		double.add('app', '1', index);
		const name = `${double.host}/app:1`;
		const error = await world.failure(fetchImage(await world.repository(name), { platform: AMD64 }));
		assert.equal(
			error.message,
			`failed to pull and unpack image "${name}": no match for platform in manifest ${index.manifest.digest}: not found`,
		);
		assert.equal(error.hint, 'The image is for linux/arm64; this machine runs linux/amd64.');
		const unnamed = testIndex([{ image: testImage({ platform: ARM64 }) }]);
		double.add('app', '2', unnamed);
		const second = await world.failure(
			fetchImage(await world.repository(`${double.host}/app:2`), { platform: AMD64 }),
		);
		assert.match(second.message, /no match for platform in manifest sha256/);
	});

	test('an image that has not changed costs one request', async () => {
		const image = testImage();
		double.add('app', '1', image);
		const repository = await world.repository(`${double.host}/app:1`);
		const stored = (digest: string): Promise<Uint8Array | undefined> =>
			Promise.resolve(image.content.get(digest));
		await fetchImage(repository, { platform: AMD64, stored });
		assert.deepEqual(double.log, ['HEAD /v2/app/manifests/1']);
	});

	test('a reference by digest is never answered by other content', async () => {
		const image = testImage();
		double.add('app', '1', image);
		const other = testImage({ layers: [Buffer.from('other')] });
		double.manifests.set(`app:${image.manifest.digest}`, {
			mediaType: image.manifest.mediaType,
			bytes: other.content.get(other.manifest.digest) ?? new Uint8Array(),
		});
		const repository = await world.repository(`${double.host}/app@${image.manifest.digest}`);
		const error = await world.failure(fetchImage(repository, { platform: AMD64 }));
		assert.equal(error.kind, 'corrupt');
		assert.match(error.message, /failed commit on ref "manifest-sha256:[0-9a-f]+": .*failed precondition$/);
	});

	test('a missing image is reported with the text of containerd', async () => {
		const name = `${double.host}/nope:1`;
		const error = await world.failure(fetchImage(await world.repository(name), { platform: AMD64 }));
		assert.equal(
			error.message,
			`failed to pull and unpack image "${name}": failed to resolve reference "${name}": ${name}: not found`,
		);
		assert.equal(error.kind, 'not-found');
	});

	test('a missing configuration, and one that does not fit the layers, are reported', async () => {
		const image = testImage();
		double.add('app', '1', image);
		double.blobs.delete(image.config.digest);
		const repository = await world.repository(`${double.host}/app:1`);
		const missing = await world.failure(fetchImage(repository, { platform: AMD64 }));
		const { digest, mediaType } = image.config;
		assert.match(
			missing.message,
			new RegExp(
				`failed open: could not fetch content descriptor ${digest} \\(${mediaType.replace('+', '\\+')}\\) from remote: not found$`,
			),
		);
	});

	test('documents that are cut off are requested once more', async () => {
		const image = testImage();
		double.add('app', '1', image);
		const seen = new Set<string>();
		double.fault = ({ method, url }, response) => {
			if (method !== 'GET' || seen.has(url)) return false;
			seen.add(url);
			response.writeHead(200, { 'Content-Length': 10_000 });
			response.write('{"schemaVersion', () => response.destroy());
			return true;
		};
		const repository = await world.repository(`${double.host}/app:1`);
		const fetched = await fetchImage(repository, { platform: AMD64 });
		assert.equal(fetched.documents.size, 2);
		assert.equal(double.requests.length, 5);
	});

	test('an artifact that is no container image, and schema 1, are refused', async () => {
		const bytes = new TextEncoder().encode('{"schemaVersion":1,"fsLayers":[]}');
		double.addManifest('app:1', 'application/vnd.docker.distribution.manifest.v1+prettyjws', bytes);
		const repository = await world.repository(`${double.host}/app:1`);
		const error = await world.failure(fetchImage(repository, { platform: AMD64 }));
		assert.match(
			error.message,
			/^failed to pull and unpack image "[^"]*": media-type: schema 1 not supported$/,
		);
		const { manifest, content } = testImage();
		const text = Buffer.from(content.get(manifest.digest) ?? '').toString();
		double.add('app', '2', { manifest, content });
		const changes: readonly (readonly [string, string, RegExp])[] = [
			[
				'oci.image.config.v1',
				'cncf.helm.config.v1',
				/helm\.config\.v1\+json is not that of a container image$/,
			],
			['"layers":[', '"layers":[],"others":[', /number of layers and diffIDs don't match: 0 != 1$/],
		];
		for (const [from, to, message] of changes) {
			double.addManifest('app:3', manifest.mediaType, Buffer.from(text.replace(from, to)));
			const fetching = fetchImage(await world.repository(`${double.host}/app:3`), { platform: AMD64 });
			assert.match((await world.failure(fetching)).message, message);
		}
	});

	test('registries without HEAD, and without the digest header, are asked by GET', async () => {
		const image = testImage();
		double.add('app', '1', image);
		double.fault = ({ method, url }, response) => {
			if (method === 'HEAD') reply(response, 405, '');
			else if (url.endsWith('/manifests/1')) {
				const { mediaType, bytes } = double.manifests.get('app:1') ?? { mediaType: '', bytes: '' };
				response.setHeader('Content-Type', `${mediaType}; charset=utf-8`);
				response.end(bytes);
			} else return false;
			return true;
		};
		const fetched = await fetchImage(await world.repository(`${double.host}/app:1`), { platform: AMD64 });
		assert.equal(fetched.target.digest, image.manifest.digest);
		assert.equal(
			double.log.filter((line) => line.startsWith('GET') && line.includes('/manifests/')).length,
			1,
		);
	});

	test('a refused HEAD is repeated by GET, whose body says why', async () => {
		double.fault = (_, response) => {
			reply(response, 403, errors('DENIED', 'your IP address is\nnot allowed'));
			return true;
		};
		const name = `${double.host}/app:1`;
		const error = await world.failure(fetchImage(await world.repository(name), { platform: AMD64 }));
		assert.equal(
			error.message,
			`failed to pull and unpack image "${name}": failed to resolve reference "${name}": unexpected status from GET request to http://${double.host}/v2/app/manifests/1: 403 Forbidden\ndenied: your IP address is not allowed`,
		);
	});

	test('the origin of the credential by which it was fetched is known', async () => {
		double.auth = { kind: 'basic', user: 'u', password: 'right' };
		double.add('app', '1', testImage());
		const credentials = credentialsFor(
			{ username: 'u', password: 'wrong' },
			{ username: 'u', password: 'right' },
		);
		const knowing = new RegistryWorld({ credentials });
		after(() => knowing.registry.close());
		const fetched = await fetchImage(await knowing.repository(`${double.host}/app:1`), { platform: AMD64 });
		assert.equal(fetched.credentialOrigin, 'credential 1');
	});
});
