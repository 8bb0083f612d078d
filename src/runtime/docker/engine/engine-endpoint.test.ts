import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type EndpointSearch, findEndpoint } from './engine-endpoint.ts';

const HOME = mkdtempSync(join(tmpdir(), 'stint-endpoint-'));
after(() => rmSync(HOME, { recursive: true }));

function found(search: Partial<EndpointSearch>): string {
	const result = findEndpoint({ env: {}, home: HOME, exists: () => false, ...search });
	return 'socketPath' in result ? result.socketPath : result.problem;
}

test('the given endpoint comes before DOCKER_HOST, and that before all others', () => {
	const env = { DOCKER_HOST: 'unix:///run/other.sock' };
	assert.equal(found({ endpoint: '/run/given.sock', env }), '/run/given.sock');
	assert.equal(found({ endpoint: 'unix:///run/given.sock' }), '/run/given.sock');
	assert.equal(found({ env, exists: () => true }), '/run/other.sock');
});

test('an engine of another machine is refused, since it does not have the files of this one', () => {
	const problem = found({ env: { DOCKER_HOST: 'tcp://build:2375' } });
	assert.equal(
		problem,
		'DOCKER_HOST is "tcp://build:2375": only a socket of this machine (unix://PATH) can be used',
	);
});

test('the current context of docker names the socket', () => {
	const meta = join(HOME, '.docker/contexts/meta', createHash('sha256').update('mine').digest('hex'));
	mkdirSync(meta, { recursive: true });
	writeFileSync(join(HOME, '.docker/config.json'), '{"currentContext":"mine"}');
	writeFileSync(join(meta, 'meta.json'), '{"Endpoints":{"docker":{"Host":"unix:///run/mine.sock"}}}');
	assert.equal(found({ exists: () => true }), '/run/mine.sock');
	assert.equal(found({ env: { DOCKER_CONTEXT: 'default' }, exists: () => true }), '/var/run/docker.sock');
	writeFileSync(join(HOME, '.docker/config.json'), '{}');
});

test('the sockets of Docker come before those of Podman, and all are named if none exists', () => {
	const env = { XDG_RUNTIME_DIR: '/run/user/1' };
	const only = (...paths: string[]) => ({ env, exists: (path: string) => paths.includes(path) });
	assert.equal(found(only('/run/podman/podman.sock', '/run/user/1/docker.sock')), '/run/user/1/docker.sock');
	assert.equal(found(only('/run/user/1/podman/podman.sock')), '/run/user/1/podman/podman.sock');
	const problem = found({ env });
	for (const path of ['/var/run/docker.sock', '/run/user/1/podman/podman.sock', '--runtime docker=SOCKET'])
		assert.ok(problem.includes(path), problem);
});
