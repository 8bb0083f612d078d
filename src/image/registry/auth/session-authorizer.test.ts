import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import fc from 'fast-check';
import { basic, RegistryDouble, reply } from '../../testing/registry-double.ts';
import { credentialsFor, RegistryWorld, type WorldOptions } from '../../testing/registry-world.ts';
import { testImage } from '../../testing/test-image.ts';
import type { Credential, CredentialSource } from '../credentials/credential.ts';
import type { RegistryError } from '../registry-error.ts';
import { parseChallenges } from './challenge.ts';
import { mergeScopes, repositoryScope } from './scopes.ts';

const USER = { user: 'alice', password: 'p4ss:w0rd' };
const ALICE = { username: USER.user, password: USER.password };
const DENIED = 'pull access denied, repository does not exist or may require authorization';

let double: RegistryDouble;
let world: RegistryWorld | undefined;

beforeEach(async () => {
	double = await RegistryDouble.start();
	double.add('app', '1', testImage());
});
afterEach(async () => {
	world?.registry.close();
	await double.stop();
});

function worldWith(options: WorldOptions): RegistryWorld {
	world?.registry.close();
	world = new RegistryWorld(options);
	return world;
}

function credentials(...list: readonly Omit<Credential, 'origin'>[]): WorldOptions {
	return { credentials: credentialsFor(...list) };
}

async function resolve(options: WorldOptions = {}): Promise<void> {
	await (await worldWith(options).repository(`${double.host}/app:1`)).resolve();
}

async function refusal(options: WorldOptions = {}): Promise<RegistryError> {
	const repository = await worldWith(options).repository(`${double.host}/app:1`);
	const error = await (world ?? new RegistryWorld()).failure(repository.resolve());
	assert.doesNotMatch(`${error.message}${error.hint}${error.stack}`, /p4ss|cDRzcz|s3cret/);
	return error;
}

describe('Basic authorization', () => {
	test('is sent when the registry demands it, and then at once', async () => {
		double.auth = { kind: 'basic', ...USER };
		const repository = await worldWith(credentials(ALICE)).repository(`${double.host}/app:1`);
		await repository.resolve();
		await repository.tags();
		const sent = double.requests.map(({ headers }) => headers.authorization);
		const header = basic(USER.user, USER.password);
		assert.deepEqual(sent, [undefined, header, header]);
	});

	test('without credentials, or with wrong ones, is refused with the texts of containerd and a hint', async () => {
		double.auth = { kind: 'basic', ...USER };
		const none = await refusal();
		assert.equal(none.message, `${DENIED}: authorization failed: no basic auth credentials`);
		assert.equal(none.kind, 'denied');
		assert.match(none.hint ?? '', /docker login 127\.0\.0\.1:\d+, or a Secret in imagePullSecrets/);
		const wrong = await refusal(credentials({ username: 'alice', password: 's3cret' }));
		assert.match(
			wrong.message,
			/^unexpected status from HEAD request to http:\S+\/v2\/app\/manifests\/1: 401 Unauthorized$/,
		);
		assert.match(wrong.hint ?? '', /^The credentials of credential 0 do not permit it\./);
	});

	test('each of several credentials is tried, and the one that succeeds is used from then on', async () => {
		double.auth = { kind: 'basic', ...USER };
		const list = [{ username: 'bob', password: 'x' }, { username: 'eve', password: 'y' }, ALICE];
		const repository = await worldWith(credentials(...list)).repository(`${double.host}/app:1`);
		await repository.resolve();
		const before = double.requests.length;
		await repository.tags();
		assert.equal(double.requests.length, before + 1);
		assert.equal(repository.credentialOrigin, 'credential 2');
	});

	test('a registry that is not available is not asked with each credential', async () => {
		double.fault = (_, response) => {
			reply(response, 503, '');
			return true;
		};
		const error = await refusal(credentials({ username: 'bob', password: 'x' }, ALICE));
		assert.equal(error.kind, 'unavailable');
		assert.equal(double.requests.length, 3);
	});

	test('why credentials could not be read is part of the hint', async () => {
		double.auth = { kind: 'basic', ...USER };
		const source: CredentialSource = {
			find: () => Promise.resolve({ credentials: [], problems: ['docker-credential-x is missing.'] }),
		};
		assert.match((await refusal({ credentials: source })).hint ?? '', / docker-credential-x is missing\.$/);
	});
});

describe('Bearer tokens', () => {
	test('are fetched anonymously by the scope of the repository, and shared until they expire', async () => {
		double.auth = { kind: 'bearer', anonymous: true, ...USER };
		const { clock, registry } = worldWith({});
		const repository = await world?.repository(`${double.host}/app:1`);
		await repository?.resolve();
		await (await world?.repository(`${double.host}/app:1`))?.resolve();
		const tokens = (): readonly string[] => double.log.filter((line) => line.includes('/token'));
		assert.deepEqual(tokens(), ['GET /token?service=double&scope=repository%3Aapp%3Apull']);
		clock.advance(295_000);
		await repository?.resolve();
		assert.equal(tokens().length, 2);
		registry.close();
	});

	test('are fetched by OAuth 2 with a password or an identity token, which stands in no URL', async () => {
		double.auth = { kind: 'bearer', ...USER };
		await resolve(credentials(ALICE));
		const [post] = double.requests.filter(({ url }) => url.startsWith('/token'));
		assert.equal(post?.method, 'POST');
		assert.equal(new URLSearchParams(post?.body).get('grant_type'), 'password');
		assert.equal(new URLSearchParams(post?.body).get('scope'), 'repository:app:pull');
		await resolve(credentials({ username: '', password: '', identityToken: USER.password }));
		const last = double.requests.filter(({ url }) => url.startsWith('/token')).at(-1);
		assert.equal(new URLSearchParams(last?.body).get('grant_type'), 'refresh_token');
		assert.ok(double.log.every((line) => !line.includes('p4ss')));
	});

	test('are fetched by GET and Basic from services without OAuth 2', async () => {
		double.auth = { kind: 'bearer', oauth: false, ...USER };
		await resolve(credentials(ALICE));
		const got = double.requests.filter(({ method, url }) => method === 'GET' && url.startsWith('/token'));
		assert.deepEqual(
			got.map(({ headers }) => headers.authorization),
			[basic(USER.user, USER.password)],
		);
	});

	test('of a registry are sent as they are', async () => {
		double.auth = { kind: 'bearer', ...USER };
		const registryToken = `t.${Buffer.from('repository:app:pull').toString('base64url')}`;
		await resolve(credentials({ username: '', password: '', registryToken }));
		assert.ok(!double.log.some((line) => line.includes('/token')));
	});

	test('that do not permit the repository are refused with the text of containerd', async () => {
		double.auth = { kind: 'bearer', repositories: ['other'], ...USER };
		const error = await refusal(credentials(ALICE));
		assert.equal(error.message, `${DENIED}: server message: insufficient_scope: authorization failed`);
	});

	test('that the service refuses are reported, and the password is not shown', async () => {
		double.auth = { kind: 'bearer', ...USER };
		const anonymous = await refusal();
		assert.match(
			anonymous.message,
			/^failed to authorize: failed to fetch anonymous token: unexpected status from GET request to http:\S+\/token\?service=double&scope=repository%3Aapp%3Apull: 401 Unauthorized\nunauthorized: incorrect username or password$/,
		);
		assert.match(
			(await refusal(credentials({ username: 'alice', password: 's3cret' }))).message,
			/failed to fetch oauth token: .*401/,
		);
	});

	test('are not fetched from a service over plain HTTP elsewhere, of a metadata address, or without a realm', async () => {
		const realms: Readonly<Record<string, RegExp>> = {
			'http://192.0.2.1/token': /request to http:\/\/192\.0\.2\.1\/token refused: plain HTTP is not allowed/,
			'https://169.254.169.254/token': /refused: link-local and metadata addresses/,
			'ftp://x/': /refused: the protocol is not HTTP/,
			'http://': /invalid token auth challenge realm/,
		};
		for (const [realm, message] of Object.entries(realms)) {
			double.auth = { kind: 'bearer', realm, ...USER };
			assert.match((await refusal(credentials(ALICE))).message, message);
		}
	});

	test('are fetched anew when the registry accepts them no longer', async () => {
		double.auth = { kind: 'bearer', anonymous: true, ...USER };
		const repository = await worldWith({}).repository(`${double.host}/app:1`);
		await repository.resolve();
		let revoked = 1;
		double.fault = ({ url, headers }, response) => {
			if (url.startsWith('/token') || revoked-- <= 0) return false;
			assert.ok(headers.authorization);
			const challenge = `Bearer realm="http://${double.host}/token",service="double",scope="repository:app:pull"`;
			response.setHeader('WWW-Authenticate', `${challenge},error="invalid_token"`);
			reply(response, 401, '');
			return true;
		};
		await repository.resolve();
		assert.equal(double.log.filter((line) => line.includes('/token')).length, 2);
	});

	test('with characters that a header cannot have are refused', async () => {
		double.auth = { kind: 'bearer', anonymous: true, ...USER };
		double.fault = ({ url }, response) => {
			if (!url.startsWith('/token')) return false;
			reply(response, 200, JSON.stringify({ token: 'a\r\nX-Injected: 1' }));
			return true;
		};
		assert.match((await refusal()).message, /authorization server did not include a token in the response$/);
	});

	test('other schemes of authorization are reported', async () => {
		double.fault = (_, response) => {
			response.setHeader('WWW-Authenticate', 'Negotiate');
			reply(response, 401, '');
			return true;
		};
		assert.match((await refusal()).message, /failed to find supported auth scheme: not implemented$/);
	});
});

describe('parseChallenges', () => {
	test('reads several challenges with quoted values and commas in them', () => {
		const [bearer, second] = parseChallenges(
			'Bearer realm="https://a/token",Service=reg , scope="repository:x:pull,push" , error="say \\"no\\"", Basic realm="b"',
		);
		assert.equal(bearer?.scheme, 'bearer');
		assert.deepEqual(Object.fromEntries(bearer?.parameters ?? []), {
			realm: 'https://a/token',
			service: 'reg',
			scope: 'repository:x:pull,push',
			error: 'say "no"',
		});
		assert.equal(second?.scheme, 'basic');
		assert.deepEqual(parseChallenges('Negotiate'), [{ scheme: 'negotiate', parameters: new Map() }]);
	});

	test('never fails, and takes linear time', () => {
		fc.assert(fc.property(fc.string(), (text) => void parseChallenges(text)));
		const started = performance.now();
		parseChallenges(`Bearer ${'a="\\'.repeat(100_000)}`);
		assert.ok(performance.now() - started < 1000);
	});
});

describe('scopes', () => {
	test('of one repository are merged', () => {
		assert.equal(repositoryScope('a/b', ['push', 'pull', 'pull']), 'repository:a/b:pull,push');
		assert.deepEqual(mergeScopes(['repository:a:pull'], ['repository:a:push', '', 'registry:catalog:*']), [
			'registry:catalog:*',
			'repository:a:pull,push',
		]);
	});
});
