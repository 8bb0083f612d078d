import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { digestOf } from '../digest.ts';
import { pushedBlob, pushImage } from '../testing/push-image.ts';
import { missingRegistry, RealRegistry } from '../testing/real-registry.ts';
import { errors, RegistryDouble, reply } from '../testing/registry-double.ts';
import { allOf, credentialsFor, RegistryWorld, type WorldOptions } from '../testing/registry-world.ts';
import { testImage, testIndex } from '../testing/test-image.ts';
import { fetchImage } from './image-fetch.ts';
import type { RegistryError } from './registry-error.ts';
import type { Repository } from './repository.ts';
import { pushBlob } from './upload.ts';

const PUSH: WorldOptions = { actions: ['pull', 'push'] };

describe('pushes to a registry that misbehaves', () => {
	const content = Buffer.from(Array.from({ length: 10_500 }, (_, at) => at % 250));
	let double: RegistryDouble;
	let world: RegistryWorld;
	let repository: Repository;
	beforeEach(async () => {
		double = await RegistryDouble.start();
		world = new RegistryWorld(PUSH);
		repository = await world.repository(`${double.host}/app:1`);
	});
	afterEach(async () => {
		world.registry.close();
		await double.stop();
	});

	test('a blob is uploaded in one request, and not again', async () => {
		assert.equal(await pushBlob(repository, pushedBlob(content)), 'uploaded');
		assert.equal(await pushBlob(repository, pushedBlob(content)), 'present');
		assert.deepEqual(double.blobs.get(digestOf(content)), content);
		assert.deepEqual(
			double.requests.map(({ method }) => method),
			['HEAD', 'POST', 'PUT', 'HEAD'],
		);
	});

	test('a blob is uploaded in chunks of a size', async () => {
		assert.equal(await pushBlob(repository, pushedBlob(content), { chunkBytes: 4000 }), 'uploaded');
		assert.deepEqual(double.blobs.get(digestOf(content)), content);
		const ranges = double.requests.map(({ headers }) => headers['content-range']).filter((range) => range);
		assert.deepEqual(ranges, ['0-3999', '4000-7999', '8000-10499']);
	});

	test('a blob of another repository is mounted, or uploaded if that is not permitted', async () => {
		const { digest } = pushedBlob(content).descriptor;
		double.fault = ({ method, url }, response) => {
			if (method !== 'HEAD') return false;
			reply(response, url.includes('/app/') ? 404 : 200, '');
			return true;
		};
		double.blobs.set(digest, content);
		assert.equal(await pushBlob(repository, pushedBlob(content), { mountFrom: 'base' }), 'mounted');
		double.blobs.clear();
		assert.equal(await pushBlob(repository, pushedBlob(content), { mountFrom: 'base' }), 'uploaded');
		double.blobs.clear();
		double.fault = ({ url }, response) => {
			if (!url.includes('mount=')) return false;
			reply(response, 403, errors('DENIED', 'no access to base'));
			return true;
		};
		assert.equal(await pushBlob(repository, pushedBlob(content), { mountFrom: 'base' }), 'uploaded');
	});

	test('mounting asks for a token that may pull from the other repository, too', async () => {
		double.auth = { kind: 'bearer', user: 'u', password: 'p' };
		const credentials = credentialsFor({ username: 'u', password: 'p' });
		const knowing = new RegistryWorld({ ...PUSH, credentials, mountsFrom: ['base'] });
		after(() => knowing.registry.close());
		await pushBlob(await knowing.repository(`${double.host}/app:1`), pushedBlob(content), {
			mountFrom: 'base',
		});
		const token = double.requests.find(({ url }) => url === '/token');
		assert.equal(
			new URLSearchParams(token?.body).get('scope'),
			'repository:app:pull,push repository:base:pull',
		);
	});

	test('wrong content, and an upload that is sent elsewhere, fail', async () => {
		const lying = {
			...pushedBlob(content),
			descriptor: { ...pushedBlob(content).descriptor, digest: digestOf('x') },
		};
		const error = await world.failure(pushBlob(repository, lying));
		assert.match(error.message, /400 Bad Request\ndigest invalid: provided digest did not match$/);
		assert.doesNotMatch(error.message, /state=secret/);
		const locations: Readonly<Record<string, RegExp>> = {
			'https://169.254.169.254/latest': /metadata addresses/,
			'http://192.0.2.1/upload': /refused: plain HTTP is not allowed to this host$/,
		};
		for (const [location, message] of Object.entries(locations)) {
			double.fault = ({ method }, response) => {
				if (method !== 'POST') return false;
				response.setHeader('Location', location);
				reply(response, 202, '');
				return true;
			};
			const refused = await world.failure(pushBlob(repository, pushedBlob(content)));
			assert.equal(refused.kind, 'refused');
			assert.match(refused.message, message);
		}
	});

	test('a registry that lost a part of a chunk is reported', async () => {
		double.fault = ({ method, url }, response) => {
			if (method !== 'PATCH') return false;
			response.setHeader('Location', url);
			response.setHeader('Range', '0-99');
			reply(response, 202, '');
			return true;
		};
		const error = await world.failure(pushBlob(repository, pushedBlob(content), { chunkBytes: 4000 }));
		assert.equal(error.message, 'the registry received 100 of 4000 bytes');
	});

	test('a registry by a name of this machine takes uploads', async () => {
		const config = { mirrors: new Map(), hosts: new Map() };
		const named = new RegistryWorld({ ...PUSH, endpoints: { config, insecureRegistries: [hostname()] } });
		after(() => named.registry.close());
		const pushing = pushBlob(
			await named.repository(`${hostname()}:${double.port}/app:1`),
			pushedBlob(content),
		);
		const outcome = await pushing.catch((error: RegistryError) => error.kind);
		// The machine's name need not resolve.
		assert.ok(outcome === 'uploaded' || outcome === 'unreachable', outcome);
	});

	test('a chunk is sent again only if the registry has not taken it', async () => {
		let status = 503;
		double.fault = ({ method }, response) => {
			if (method !== 'PATCH' || status === 0) return false;
			reply(response, status, '');
			status = 0;
			return true;
		};
		const error = await world.failure(pushBlob(repository, pushedBlob(content), { chunkBytes: 4000 }));
		assert.match(error.message, /from PATCH request to \S+: 503 Service Unavailable$/);
		status = 429;
		assert.equal(await pushBlob(repository, pushedBlob(content), { chunkBytes: 4000 }), 'uploaded');
	});

	test('missing rights are reported as containerd does', async () => {
		double.auth = { kind: 'basic', user: 'u', password: 'p' };
		const error = await world.failure(pushBlob(repository, pushedBlob(content)));
		assert.equal(
			error.message,
			'push access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials',
		);
	});
});

describe('with the registry of Docker', { skip: missingRegistry() }, () => {
	test('images and indexes are pushed, pulled, listed, mounted and deleted', async () => {
		const registry = await RealRegistry.start();
		const world = new RegistryWorld(PUSH);
		try {
			const layers = [Buffer.alloc(300_000, 'a'), Buffer.from('b')];
			const image = testImage({ layers });
			const repository = await world.repository(`${registry.host}/team/app:1`);
			assert.deepEqual(await pushImage(repository, image), ['uploaded', 'uploaded', 'uploaded']);
			assert.deepEqual(await pushImage(repository, image), ['present', 'present', 'present']);
			const arm = testImage({
				layers,
				compression: 'zstd',
				platform: { os: 'linux', architecture: 'arm64' },
			});
			const index = testIndex([
				{ image, platform: { os: 'linux', architecture: 'amd64' } },
				{ image: arm, platform: { os: 'linux', architecture: 'arm64' } },
			]);
			await pushImage(await world.repository(`${registry.host}/team/app:2`), index, { chunkBytes: 100 });
			assert.deepEqual([...(await repository.tags())].sort(), ['1', '2']);

			const second = await world.repository(`${registry.host}/team/app:2`);
			const fetched = await fetchImage(second, { platform: { os: 'linux', architecture: 'arm64' } });
			assert.equal(fetched.descriptor.digest, arm.manifest.digest);
			const [first] = fetched.manifest.layers;
			assert.ok(first);
			assert.deepEqual(zstdDecompressSync(await allOf(second.blob(first))), layers[0]);

			const other = await world.repository(`${registry.host}/other:1`);
			const outcomes = await pushImage(other, image, { mountFrom: 'team/app' });
			assert.deepEqual(outcomes, ['mounted', 'mounted', 'mounted']);
			const [lower] = image.layers;
			assert.ok(lower);
			assert.deepEqual(gunzipSync(await allOf(other.blob(lower))), layers[0]);

			await repository.deleteManifest(image.manifest.digest);
			const missing = await world.failure(repository.resolve());
			assert.equal(missing.message, `${registry.host}/team/app:1: not found`);
		} finally {
			world.registry.close();
			await registry.stop();
		}
	});

	test('passwords are needed where it wants them', async () => {
		// The password is "pw".
		const registry = await RealRegistry.start(
			'u:$2b$05$abcdefghijklmnopqrstuuHIrMEWpUCQe2YqFR3sXwQ75u4od..9q\n',
		);
		const credentials = credentialsFor({ username: 'u', password: 'pw' });
		const world = new RegistryWorld({ ...PUSH, credentials });
		try {
			const image = testImage();
			await pushImage(await world.repository(`${registry.host}/app:1`), image);
			const stranger = new RegistryWorld();
			const repository = await stranger.repository(`${registry.host}/app:1`);
			const error = await stranger.failure(repository.resolve());
			assert.match(error.message, /authorization failed: no basic auth credentials$/);
			stranger.registry.close();
		} finally {
			world.registry.close();
			await registry.stop();
		}
	});
});
