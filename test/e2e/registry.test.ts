import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { tarOf } from '../../src/image/testing/archive.ts';
import { pushAs } from '../../src/image/testing/push-image.ts';
import { missingFor, startEngine } from '../../src/runtime/docker/testing/engine-daemon.ts';
import { busyboxImage } from '../../src/runtime/sandbox/testing/busybox-image.ts';
import { missingForSandbox } from '../../src/runtime/sandbox/testing/sandbox-harness.ts';
import { atEnd, ROOT, Running, run, temporaryFolder } from '../support/processes.ts';
import { atLevel, type StintServer, startStint } from '../support/stint-server.ts';

/**
 * The part of a Job tutorial that needs images: an application is built and pushed to the registry of this machine, and a Job
 * with a backoffLimit runs it until it succeeds.
 */
const skip = (await missingForSandbox()) ?? false;
const LEVELS = process.getuid?.() === 0 ? (['root', 'user'] as const) : (['user'] as const);

/** A server with its registry, and the name of that: `localhost:5000`. */
async function serverWithRegistry(
	t: TestContext,
	level: 'root' | 'user',
): Promise<{ readonly server: StintServer; readonly host: string }> {
	const args = ['--runtime', 'sandbox', '--registry', '0'];
	const server = await startStint(t, { ...atLevel(t, level), args });
	const [, host = ''] = await server.process.printed(/registry: it is ready at http:\/\/([^"\s]+)/);
	return { server, host };
}

/** The application of the tutorial, which the test makes fail or succeed. */
function flakyApp(outcome: 'Task failed' | 'Task succeeded') {
	const code = outcome === 'Task failed' ? 1 : 0;
	const level = code === 1 ? 'ERROR' : 'INFO';
	return busyboxImage({
		entries: [
			{ path: 'usr/src/app/' },
			{
				path: 'usr/src/app/app',
				content: `#!/bin/sh\necho ${level}:root:${outcome}\nexit ${code}\n`,
				mode: 0o755,
			},
		],
		config: { Env: ['PATH=/bin'], WorkingDir: '/usr/src/app', Entrypoint: ['./app'] },
	});
}

function job(image: string): string {
	const spec = { containers: [{ name: 'flaky-app', image }], restartPolicy: 'Never' };
	return JSON.stringify({
		apiVersion: 'batch/v1',
		kind: 'Job',
		metadata: { name: 'example-job' },
		spec: { backoffLimit: 10, template: { spec } },
	});
}

for (const level of LEVELS) {
	test(`a Job runs an image that was pushed, until it succeeds: ${level}`, { skip }, async (t) => {
		const { server, host } = await serverWithRegistry(t, level);
		const name = `${host}/flaky-app:0.1`;
		await pushAs(name, flakyApp('Task failed'));
		assert.equal((await server.kubectlWith(job(name), 'create', '-f', '-')).code, 0);
		const failedOnce = '--for=jsonpath={.status.failed}=1';
		const failed = await server.kubectl('wait', failedOnce, 'job/example-job', '--timeout=60s');
		if (failed.code !== 0) assert.fail((await server.kubectl('describe', 'pods')).stdout);
		const events = await server.kubectl('get', 'events');
		assert.match(events.stdout, /Successfully pulled image "localhost:\d+\/flaky-app:0\.1" in /);
		// A push to the same tag is what the next Pod runs, though its pull policy is IfNotPresent.
		await pushAs(name.replace('localhost', '127.0.0.1'), flakyApp('Task succeeded'));
		const done = await server.kubectl('wait', '--for=condition=complete', 'job/example-job', '--timeout=60s');
		assert.equal(done.code, 0, done.stderr);
		const { stdout } = await server.kubectl('logs', '-l', 'job-name=example-job', '--prefix=false');
		assert.deepEqual(stdout.trim().split('\n').sort(), [
			'ERROR:root:Task failed',
			'INFO:root:Task succeeded',
		]);
		await server.kubectl('delete', 'job', 'example-job');
		if (level === 'root') {
			const images = await server.stint('images', 'rm', '-f', name, '--data-dir', server.folder);
			assert.match(images.stdout, new RegExp(`Untagged: ${name}`), images.stderr);
			assert.equal((await fetch(`http://${host}/v2/flaky-app/manifests/0.1`)).status, 404);
		}
		assert.equal((await server.stop()).code, 0);
		await assert.rejects(fetch(`http://${host}/v2/`));
	});
}

test('the registry ends with a server that is killed', { skip }, async (t) => {
	const { server, host } = await serverWithRegistry(t, LEVELS[0] ?? 'user');
	assert.equal((await fetch(`http://${host}/v2/`)).status, 200);
	await server.stop('SIGKILL');
	const isServed = (): Promise<boolean> =>
		fetch(`http://${host}/v2/`).then(
			() => true,
			() => false,
		);
	while (await isServed());
});

test('a server whose registry cannot listen does not start, and says why', async (t) => {
	const folder = temporaryFolder(t);
	const registry = new Running(join(ROOT, 'stint'), ['registry', '--port', '0', '--data-dir', folder]);
	atEnd(t, () => registry.child.kill());
	const [, port = ''] = await registry.printed(/ready at http:\/\/localhost:(\d+)/);
	const flags = ['--data-dir', temporaryFolder(t), '--port', '0', '--registry', port];
	const { code, stderr } = await run(join(ROOT, 'stint'), ['server', ...flags]);
	assert.equal(code, 1);
	assert.match(stderr, new RegExp(`port ${port} on 127.0.0.1 is in use`));
	registry.child.kill('SIGTERM');
	assert.equal((await registry.finished).code, 0);
});

test('a registry that is killed in the middle of a push leaves nothing of it', async (t) => {
	const folder = temporaryFolder(t);
	const start = async (): Promise<{ readonly registry: Running; readonly url: string }> => {
		const registry = new Running(join(ROOT, 'stint'), ['registry', '--port', '0', '--data-dir', folder]);
		atEnd(t, () => registry.child.kill());
		const [, url = ''] = await registry.printed(/ready at (http:\/\/\S+)/);
		return { registry, url };
	};
	const first = await start();
	const begun = await fetch(`${first.url}/v2/app/blobs/uploads/`, { method: 'POST' });
	const upload = begun.headers.get('location') ?? '';
	const body = 'half of a layer';
	assert.equal((await fetch(`${first.url}${upload}`, { method: 'PATCH', body })).status, 202);
	const store = join(folder, 'images/store');
	const drafts = (): readonly string[] =>
		readdirSync(join(store, 'sessions'), { recursive: true, encoding: 'utf8' }).filter((name) =>
			name.includes('draft-'),
		);
	assert.equal(drafts().length, 1);
	first.registry.child.kill('SIGKILL');
	await first.registry.finished;
	const { url } = await start();
	assert.deepEqual([drafts(), readdirSync(join(store, 'blobs'))], [[], []]);
	assert.equal((await fetch(`${url}${upload}`)).status, 404);
	await pushAs(`${url.replace('http://', '')}/app:1`, flakyApp('Task succeeded'));
	assert.equal((await fetch(`${url}/v2/app/manifests/1`)).status, 200);
});

test('docker pushes to the registry, and pulls from it', {
	skip: missingFor('docker') ?? skip,
}, async (t) => {
	const { server, host } = await serverWithRegistry(t, 'root');
	const engine = await startEngine('docker', []);
	atEnd(t, () => engine.stop());
	const docker = async (...args: readonly string[]): Promise<string> => {
		const { code, stdout, stderr } = await run('docker', ['--host', `unix://${engine.socketPath}`, ...args]);
		assert.equal(code, 0, stderr);
		return stdout;
	};
	const archive = join(temporaryFolder(t), 'app.tar');
	writeFileSync(archive, tarOf([{ path: 'hello', content: 'pushed by docker\n' }, ...busyboxFiles()]));
	const name = `${host}/team/app:0.1`;
	await docker('import', '--change', 'ENTRYPOINT ["/bin/sh", "-c", "cat /hello"]', archive, name);
	assert.match(await docker('push', name), /0\.1: digest: sha256:/);
	await docker('tag', name, `${host}/other:1`);
	assert.match(await docker('push', `${host}/other:1`), /Mounted from team\/app/);
	await docker('rmi', name, `${host}/other:1`);
	await docker('pull', `${host}/other:1`);
	assert.equal((await server.kubectlWith(job(name), 'create', '-f', '-')).code, 0);
	const done = await server.kubectl('wait', '--for=condition=complete', 'job/example-job', '--timeout=60s');
	if (done.code !== 0) assert.fail((await server.kubectl('describe', 'pods')).stdout);
	assert.equal((await server.kubectl('logs', 'job/example-job')).stdout, 'pushed by docker\n');
});

/** A busybox with the programs of the test. */
function busyboxFiles() {
	const content = readFileSync('/bin/busybox');
	const links = ['sh', 'cat'].map((each) => ({ path: `bin/${each}`, to: 'busybox' }));
	return [{ path: 'bin/' }, { path: 'bin/busybox', content, mode: 0o755 }, ...links];
}
