import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseImageReference } from '../../names/image-reference.ts';
import { RegistryDouble } from '../../testing/registry-double.ts';
import { RegistryWorld } from '../../testing/registry-world.ts';
import { testImage } from '../../testing/test-image.ts';
import { type Endpoint, type EndpointOptions, pullEndpoints, pushEndpoints } from './endpoints.ts';
import { parseRegistriesConfig, type RegistriesConfig, readRegistriesConfig } from './registries-config.ts';

function parse(text: string): Promise<RegistriesConfig> {
	return parseRegistriesConfig(text, {
		path: 'registries.yaml',
		readCertificate: (path) => Promise.resolve(`content of ${path}`),
	});
}

async function endpoints(
	image: string,
	text: string,
	more: Partial<EndpointOptions> = {},
): Promise<readonly Endpoint[]> {
	const config = await parse(text);
	return pullEndpoints(parseImageReference(image), { config, insecureRegistries: [], ...more });
}

async function urls(
	image: string,
	text = '',
	more: Partial<EndpointOptions> = {},
): Promise<readonly string[]> {
	return (await endpoints(image, text, more)).map(({ base, path }) => `${base.href}/${path}`);
}

describe('pullEndpoints', () => {
	test('without configuration there is only the registry: by HTTPS, unless it is on this machine', async () => {
		assert.deepEqual(await urls('bash'), ['https://registry-1.docker.io/v2/library/bash']);
		assert.deepEqual(await urls('ghcr.io/a/b'), ['https://ghcr.io/v2/a/b']);
		assert.deepEqual(await urls('localhost:5000/app'), ['http://localhost:5000/v2/app']);
		assert.deepEqual(await urls('127.0.0.1/app'), ['http://127.0.0.1/v2/app']);
		assert.deepEqual(await urls('[::1]:5000/app'), ['http://[::1]:5000/v2/app']);
		assert.deepEqual(await urls('127.0.0.1:443/app'), ['https://127.0.0.1/v2/app']);
		assert.deepEqual(await urls('localhost:5000/app', 'configs: {"localhost:5000": {tls: {ca_file: /ca}}}'), [
			'https://localhost:5000/v2/app',
		]);
		await assert.rejects(urls('host:99999/app'), {
			message: 'invalid registry host "host:99999"',
			kind: 'invalid',
		});
	});

	test('insecure registries are asked by HTTPS without verification, then by HTTP', async () => {
		const found = await endpoints('reg:5000/app', '', { insecureRegistries: ['reg:5000'] });
		assert.deepEqual(
			found.map(({ base, tls }) => [base.href, tls?.insecureSkipVerify]),
			[
				['https://reg:5000/v2', true],
				['http://reg:5000/v2', true],
			],
		);
	});

	test('mirrors come first, with their paths and rewrites, and tell which registry is meant', async () => {
		const text = `
mirrors:
  docker.io:
    endpoint: [https://mirror.example, "https://cache.example/hub/v2/", registry-1.docker.io]
    rewrite: {"^library/(.*)$": "official/\${1}", "a": "b"}
  "*":
    endpoint: [http://10.0.0.1:5000]
`;
		const found = await endpoints('bash', text);
		assert.deepEqual(
			found.map(({ base, path, namespace, name }) => [base.href, path, namespace, name]),
			[
				['https://mirror.example/v2', 'official/bash', 'docker.io', 'mirror.example/official/bash'],
				['https://cache.example/hub/v2', 'official/bash', 'docker.io', 'cache.example/official/bash'],
				['https://registry-1.docker.io/v2', 'official/bash', undefined, 'docker.io/official/bash'],
			],
		);
		assert.deepEqual(await urls('ghcr.io/a/b', text), [
			'http://10.0.0.1:5000/v2/a/b',
			'https://ghcr.io/v2/a/b',
		]);
		assert.deepEqual(await urls('ghcr.io/a/b', text, { mirrorsOnly: true }), ['http://10.0.0.1:5000/v2/a/b']);
	});

	test('the configuration of a host applies to mirrors and to the registry itself', async () => {
		const found = await endpoints(
			'bash',
			`
mirrors: {docker.io: {endpoint: ["https://m:1"]}}
configs:
  "m:1": {auth: {username: u, password: 123}, tls: {cert_file: /c, key_file: /k, insecure_skip_verify: true}}
  docker.io: {auth: {auth: ${Buffer.from('hub:pw').toString('base64')}}}
`,
		);
		const [mirror, hub] = found;
		assert.deepEqual(mirror?.credential, { username: 'u', password: '123', origin: 'registries.yaml' });
		assert.deepEqual(mirror?.tls, { cert: 'content of /c', key: 'content of /k', insecureSkipVerify: true });
		assert.equal(hub?.credential?.username, 'hub');
	});

	test('pushes go to the registry, or to the address that a mirror gives it on this machine', async () => {
		const text = `mirrors: {docker.io: {endpoint: ["https://m"]}, "k3d-reg:50664": {endpoint: ["http://127.0.0.1:50664"]}}`;
		const config = await parse(text);
		const push = (image: string): readonly string[] =>
			pushEndpoints(parseImageReference(image), { config, insecureRegistries: [] }).map(
				({ base }) => base.href,
			);
		assert.deepEqual(push('bash'), ['https://registry-1.docker.io/v2']);
		assert.deepEqual(push('k3d-reg:50664/a'), ['http://127.0.0.1:50664/v2']);
	});
});

describe('the file of registries', () => {
	test('is rejected if anything in it is unknown or malformed, without showing secrets', async () => {
		const cases: Readonly<Record<string, RegExp>> = {
			'mirror: {}': /^registries\.yaml: unknown field "mirror"$/,
			'mirrors: {a: {endpoints: []}}': /unknown field "mirrors\.a\.endpoints"/,
			'mirrors: {a: {endpoint: x}}': /mirrors\.a\.endpoint is not a list/,
			'mirrors: {a: {endpoint: ["ftp://x"]}}': /endpoint has a value that is not a URL/,
			'mirrors: {a: {endpoint: ["https://u:s3cret@x"]}}': /endpoint has a user: write it in configs/,
			'mirrors: {a: {rewrite: {"(": "x"}}}': /"\(" is not a regular expression/,
			'configs: {a: {auth: {pasword: s3cret}}}': /unknown field "configs\.a\.auth\.pasword"/,
			'configs: {a: {auth: {auth: s3cret}}}': /configs\.a\.auth\.auth is not base64|auth is not base64/,
			'configs: {"*": {auth: {username: u, password: s3cret}}}': /send the credentials to every registry/,
			'configs: {a: {tls: {cert_file: /c}}}': /cert_file and key_file must be set together/,
			'configs: {a: {tls: {insecure_skip_verify: "yes"}}}': /is not a boolean/,
			'a: b: c': /^registries\.yaml: /,
			'mirrors: {a: {}, a: {}}': /already set in map/,
		};
		for (const [text, message] of Object.entries(cases)) {
			await assert.rejects(parse(text), (error: Error) => {
				assert.match(error.message, message);
				assert.doesNotMatch(error.message, /s3cret/);
				return true;
			});
		}
		assert.equal((await parse('')).mirrors.size, 0);
		assert.equal((await readRegistriesConfig('/nonexistent/registries.yaml')).mirrors.size, 0);
	});
});

describe('mirrors', () => {
	test('a name that only a mirror can resolve is pulled from it', async (t) => {
		const double = await RegistryDouble.start();
		t.after(() => double.stop());
		double.add('flaky-app', '0.1', testImage());
		const config = await parse(
			`mirrors: {"k3d-registry.invalid:50664": {endpoint: ["http://${double.host}"]}}`,
		);
		const world = new RegistryWorld({ endpoints: { config } });
		t.after(() => world.registry.close());
		await (await world.repository('k3d-registry.invalid:50664/flaky-app:0.1')).resolve();
		assert.deepEqual(double.log, ['HEAD /v2/flaky-app/manifests/0.1?ns=k3d-registry.invalid%3A50664']);
	});

	test('one that fails or lacks the image is followed by the next', async (t) => {
		const [first, second] = [await RegistryDouble.start(), await RegistryDouble.start()];
		t.after(() => Promise.all([first.stop(), second.stop()]));
		second.add('library/bash', '5', testImage());
		const endpoint = [`http://127.0.0.1:1`, `http://${first.host}`, `http://${second.host}`];
		const config = await parse(`mirrors: {docker.io: {endpoint: ${JSON.stringify(endpoint)}}}`);
		const world = new RegistryWorld({ endpoints: { config, mirrorsOnly: true } });
		t.after(() => world.registry.close());
		const repository = await world.repository('bash:5');
		const { digest } = await repository.resolve();
		assert.equal(digest, testImage().manifest.digest);
		// The next request begins with the endpoint that succeeded.
		await repository.tags();
		assert.equal(first.requests.length, 1);
		// "Not found" says more than that another one is not reachable.
		const missing = await world.failure((await world.repository('bash:6')).resolve());
		assert.equal(missing.message, 'docker.io/library/bash:6: not found');
	});

	test('without one, the error says which line to write', async (t) => {
		const world = new RegistryWorld();
		t.after(() => world.registry.close());
		const error = await world.failure(
			(await world.repository('k3d-registry.invalid:50664/flaky-app:0.1')).resolve(),
		);
		assert.match(
			error.message,
			/^failed to do request: Head "https:\/\/k3d-registry\.invalid:50664\/v2\/flaky-app\/manifests\/0\.1": dial tcp: lookup k3d-registry\.invalid/,
		);
		assert.equal(
			error.hint,
			'To take the image from elsewhere, write in registries.yaml: ' +
				'mirrors: {"k3d-registry.invalid:50664": {endpoint: ["http://127.0.0.1:50664"]}}',
		);
	});
});
