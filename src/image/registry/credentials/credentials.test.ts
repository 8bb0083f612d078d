import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { unionOfCredentials } from './credential.ts';
import { CredentialError, DockerConfigFiles, dockerConfigPaths, parseDockerConfig } from './docker-config.ts';
import { Keyring } from './keyring.ts';
import { credentialsOfSecrets, type PullSecret } from './pull-secrets.ts';

const folder = mkdtempSync(join(tmpdir(), 'stint-credentials-'));
after(() => rmSync(folder, { recursive: true }));

function base64(text: string): string {
	return Buffer.from(text).toString('base64');
}

/** The users that a keyring with these keys (each its own user) finds for a repository. */
function users(keys: readonly string[], repository: string): readonly string[] {
	const entries = keys.map((key) => [key, { username: key, password: 'x', origin: 'test' }] as const);
	return Keyring.of(entries)
		.find(repository)
		.map(({ username }) => username);
}

describe('Keyring', () => {
	test('matches hosts, ports, paths and patterns as the kubelet does', () => {
		const cases: readonly (readonly [string, string, boolean])[] = [
			['registry.example', 'registry.example/app', true],
			['https://registry.example/v2/', 'registry.example/app', true],
			['http://registry.example', 'registry.example/app', true],
			['registry.example:5000', 'registry.example/app', false],
			['registry.example', 'registry.example:5000/app', false],
			['registry.example:5000', 'registry.example:5000/app', true],
			['registry.example/team', 'registry.example/team/app', true],
			// As upstream: a prefix of the text, not of the parts.
			['registry.example/team', 'registry.example/teamwork/app', true],
			['registry.example/team', 'registry.example/other/app', false],
			['*.example', 'registry.example/app', true],
			['*.example', 'a.registry.example/app', false],
			['*.*.example', 'a.registry.example/app', true],
			['reg*ry.example', 'registry.example/app', true],
			// Upstream parses keys as URLs: the question mark begins a query.
			['reg?stry.example', 'registry.example/app', false],
			['reg[a-i]stry.example', 'registry.example/app', true],
			['reg[^i]stry.example', 'registry.example/app', false],
			['[.example', '[.example/app', false],
			['*.example:5000/team', 'a.example:5000/team/app', true],
			['https://index.docker.io/v1/', 'docker.io/library/bash', true],
			['index.docker.io', 'docker.io/library/bash', true],
			['docker.io', 'docker.io/library/bash', true],
			['docker.io/acme', 'docker.io/library/bash', false],
			['https://index.docker.io/v1/', 'ghcr.io/bash', false],
			['', 'docker.io/library/bash', false],
		];
		for (const [key, repository, fits] of cases)
			assert.deepEqual(users([key], repository), fits ? [key] : [], `${key} for ${repository}`);
	});

	test('the more specific key comes first; the default registry counts only if no other key fits', () => {
		const keys = ['quay.io', 'quay.io/coreos', '*.io', 'index.docker.io', 'docker.io'];
		assert.deepEqual(users(keys, 'quay.io/coreos/etcd'), ['quay.io/coreos', 'quay.io', '*.io']);
		assert.deepEqual(users(keys, 'docker.io/library/bash'), ['docker.io', '*.io']);
		assert.deepEqual(users(['index.docker.io'], 'docker.io/library/bash'), ['index.docker.io']);
	});

	test('no pattern takes long, and none throws', () => {
		const started = performance.now();
		users([`${'*'.repeat(1000)}b.example`], `${'a'.repeat(63)}.example/app`);
		users([`${'*a'.repeat(14)}b.example`], `${'a'.repeat(63)}.example/app`);
		assert.ok(performance.now() - started < 1000);
		fc.assert(
			fc.property(fc.string(), fc.string(), (key, repository) => {
				users([key], repository);
			}),
		);
	});
});

describe('parseDockerConfig', () => {
	test('reads users, passwords and tokens', () => {
		const { keyring } = parseDockerConfig(
			JSON.stringify({
				auths: {
					a: { auth: base64('u:p:q') },
					b: { username: 'u', password: 'p', email: 'x' },
					c: { auth: base64('u:p').replace(/=+$/, '') },
					d: { identitytoken: 'refresh' },
					e: {},
					f: { auth: `${base64('u:p\0\0')}` },
				},
			}),
			'file',
		);
		const found = (host: string): unknown => keyring.find(`${host}/app`)[0];
		assert.deepEqual(found('a'), { username: 'u', password: 'p:q', origin: 'file' });
		assert.deepEqual(found('b'), { username: 'u', password: 'p', origin: 'file' });
		assert.deepEqual(found('c'), { username: 'u', password: 'p', origin: 'file' });
		assert.deepEqual(found('d'), { username: '', password: '', identityToken: 'refresh', origin: 'file' });
		assert.equal(found('e'), undefined);
		assert.deepEqual(found('f'), { username: 'u', password: 'p', origin: 'file' });
	});

	test('reports what is malformed without showing it', () => {
		const texts: Readonly<Record<string, string>> = {
			'{"auths": {"a": {"auth": "s3cret"': 'file: not valid JSON',
			'["s3cret"]': 'file: not a JSON object',
			'{"auths": {"a": {"auth": "s3cret!"}}}':
				'file: unable to parse auth field, must be formatted as base64(username:password)',
			'{"auths": {"a": {"password": {"s3cret": 1}}}}': 'file: password is not a string',
			'{"auths": "s3cret"}': 'file: auths is not an object',
		};
		for (const [text, message] of Object.entries(texts))
			assert.throws(() => parseDockerConfig(text, 'file'), { name: 'CredentialError', message });
	});
});

describe('credentialsOfSecrets', () => {
	function secret(name: string, value: unknown, isLegacy = false): PullSecret {
		return { namespace: 'default', name, text: JSON.stringify(value), isLegacy };
	}
	const auth = { username: 'u', password: 'p' };

	test('reads both forms, and ignores helpers', async () => {
		const source = credentialsOfSecrets([
			secret('new', { auths: { 'quay.io': auth }, credsStore: 'evil' }),
			secret('old', { 'quay.io/team': auth }, true),
		]);
		const { credentials } = await source.find('quay.io/team/app');
		assert.deepEqual(
			credentials.map(({ origin }) => origin),
			['secret default/old', 'secret default/new'],
		);
	});

	test('a malformed Secret fails, as in the kubelet', () => {
		const malformed = secret('bad', { auths: { a: { auth: '?' } } });
		assert.throws(() => credentialsOfSecrets([malformed]), CredentialError);
		assert.throws(
			() => credentialsOfSecrets([malformed]),
			/^CredentialError: secret default\/bad: unable to parse auth/,
		);
	});
});

describe('DockerConfigFiles', () => {
	const bin = join(folder, 'bin');
	mkdirSync(bin);
	function helper(name: string, script: string): void {
		writeFileSync(join(bin, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`);
		chmodSync(join(bin, `docker-credential-${name}`), 0o755);
	}
	function files(config: unknown): DockerConfigFiles {
		const path = join(folder, 'config.json');
		writeFileSync(path, typeof config === 'string' ? config : JSON.stringify(config));
		return new DockerConfigFiles([join(folder, 'missing.json'), path], {
			PATH: `${bin}:${process.env.PATH}`,
		});
	}

	test('the helper of a registry is asked, otherwise that of all, and then the file', async () => {
		helper(
			'gh',
			'read server; [ "$1" = get ] && echo "{\\"Username\\": \\"$server\\", \\"Secret\\": \\"s\\"}"',
		);
		helper('store', 'read server; echo "{\\"Username\\": \\"<token>\\", \\"Secret\\": \\"$server\\"}"');
		const source = files({
			auths: { 'ghcr.io': { auth: base64('file:p') } },
			credHelpers: { 'ghcr.io': 'gh' },
			credsStore: 'store',
		});
		const { credentials, problems } = await source.find('ghcr.io/acme/app');
		assert.deepEqual(problems, []);
		assert.deepEqual(
			credentials.map(({ username }) => username),
			['ghcr.io', 'file'],
		);
		assert.equal(credentials[0]?.origin, 'docker-credential-gh');
		const hub = await source.find('docker.io/library/bash');
		assert.deepEqual(
			hub.credentials.map(({ identityToken }) => identityToken),
			['https://index.docker.io/v1/'],
		);
	});

	test('a helper that knows nothing is no problem; one that is missing or fails is, and its output is not shown', async () => {
		helper('none', 'echo "credentials not found in native keychain"; exit 1');
		helper('fails', 'echo s3cret; echo s3cret >&2; exit 1');
		helper('odd', 'echo "{\\"Secret\\": \\"s3cret\\"}"');
		const problem = async (name: string): Promise<string> =>
			(await files({ credsStore: name }).find('quay.io/app')).problems.join();
		assert.equal(await problem('none'), '');
		assert.equal(
			await problem('missing'),
			'Credentials could not be read: docker-credential-missing: executable file not found in $PATH.',
		);
		assert.equal(await problem('fails'), 'Credentials could not be read: docker-credential-fails: failed.');
		assert.match(await problem('odd'), /docker-credential-odd: the answer is malformed/);
		assert.match(await problem('../../bin/sh'), /invalid credential helper/);
	});

	test('a malformed file is a problem, and not the end of the pull', async () => {
		const found = await files('{').find('quay.io/app');
		assert.deepEqual(found.credentials, []);
		assert.match(found.problems.join(), /config\.json: not valid JSON\.$/);
		const both = unionOfCredentials([files('{'), files('{')]);
		assert.equal((await both.find('quay.io/app')).problems.length, 2);
	});

	test('the places are those of docker and of podman', () => {
		assert.deepEqual(dockerConfigPaths({ XDG_RUNTIME_DIR: '/run/user/1' }, '/home/u'), [
			'/home/u/.docker/config.json',
			'/run/user/1/containers/auth.json',
			'/home/u/.config/containers/auth.json',
		]);
		assert.equal(dockerConfigPaths({ DOCKER_CONFIG: '/d' }, '/home/u')[0], '/d/config.json');
	});
});
