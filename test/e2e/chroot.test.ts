import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { RegistryDouble } from '../../src/image/testing/registry-double.ts';
import { busyboxImage, missingBusybox } from '../../src/runtime/sandbox/testing/busybox-image.ts';
import { withArguments } from '../../src/runtime/testing/host-processes.ts';
import {
	missingForPlainContainer,
	plainContainerCommand,
	withoutPivotCommand,
} from '../../src/runtime/testing/plain-container.ts';
import { temporaryFolder } from '../support/processes.ts';
import { type StintServer, startStint } from '../support/stint-server.ts';

/** Jobs of images on a server that has the rights of root in a container of Docker's defaults: the level chroot. */
const skip = missingForPlainContainer() ?? missingBusybox() ?? false;
const registry = await RegistryDouble.start();
after(() => registry.stop());
registry.add(
	'app',
	'1',
	busyboxImage({
		entries: [
			{ path: 'app/' },
			{ path: 'app/run', content: '#!/bin/sh\necho "$0 $* $(pwd) $(id -u)"\n', mode: 0o755 },
		],
		config: { Entrypoint: ['/app/run'], Cmd: ['one'], User: 'app', WorkingDir: '/app' },
	}),
);

const IMAGE = `${registry.host}/app:1`;
const TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

async function serverIn(
	t: TestContext,
	folder: string,
	under = plainContainerCommand(),
): Promise<StintServer> {
	return await startStint(t, { folder, args: ['--runtime', 'sandbox'], under });
}

/** Creates a Job with one container, and these fields in it and in its Pod. */
async function job(server: StintServer, name: string, container: object, spec: object = {}): Promise<void> {
	const template = {
		spec: { restartPolicy: 'Never', ...spec, containers: [{ name: 'c', image: IMAGE, ...container }] },
	};
	const manifest = {
		...{ apiVersion: 'batch/v1', kind: 'Job', metadata: { name } },
		spec: { backoffLimit: 0, template },
	};
	const { code, stderr } = await server.kubectlWith(JSON.stringify(manifest), 'create', '-f', '-');
	assert.equal(code, 0, stderr);
}

async function becomes(server: StintServer, name: string, condition: string): Promise<void> {
	const waited = await server.kubectl('wait', `--for=condition=${condition}`, `job/${name}`, '--timeout=60s');
	if (waited.code !== 0) assert.fail((await server.kubectl('describe', 'pods')).stdout);
}

test('Jobs of images run, with their users, files and exit codes', { skip }, async (t) => {
	const server = await serverIn(t, temporaryFolder(t));
	assert.match(server.process.stderr, /\(level chroot: clone: function not implemented\)/);
	await server.kubectl('create', 'secret', 'generic', 'key', '--from-literal=word=open');
	const script = `cat /key/word; echo; stat -c %a /scratch; wc -l <${TOKEN}; grep -c "$(hostname)" /etc/hosts; echo why >/dev/termination-log; exit 3`;
	await job(server, 'image', {});
	await job(
		server,
		'files',
		{
			command: ['sh', '-c', script],
			securityContext: { runAsUser: 0 },
			volumeMounts: [
				{ name: 'key', mountPath: '/key' },
				{ name: 'scratch', mountPath: '/scratch' },
			],
		},
		{
			volumes: [
				{ name: 'key', secret: { secretName: 'key' } },
				{ name: 'scratch', emptyDir: {} },
			],
		},
	);
	await job(
		server,
		'shared',
		{ volumeMounts: [{ name: 'data', mountPath: '/data' }] },
		{ volumes: [{ name: 'data', emptyDir: {} }], restartPolicy: 'OnFailure' },
	);
	await becomes(server, 'image', 'Complete');
	assert.equal((await server.kubectl('logs', 'job/image')).stdout, '/app/run one /app 1000\n');
	await becomes(server, 'files', 'Failed');
	const { stdout: log } = await server.kubectl('logs', 'job/files');
	assert.match(log, /^open\n777\n0\n/);
	const ended = '{.items[0].status.containerStatuses[0].state.terminated}';
	const path = `jsonpath=${ended.replace('}', '.exitCode}')} ${ended.replace('}', '.message}')}`;
	const files = await server.kubectl('get', 'pods', '-l', 'job-name=files', '-o', path);
	assert.equal(files.stdout.trim(), '3 why');
	const events = await server.kubectl(
		'get',
		'events',
		'-A',
		'-o',
		'jsonpath={range .items[*]}{.reason}: {.message}{"\\n"}{end}',
	);
	assert.match(events.stdout, /^FailedMount: .* files of the API are copied, and/m);
	assert.match(
		events.stdout,
		/^ContainersNotIsolated: .*\(level chroot\): clone: function not implemented$/m,
	);
	const node = await server.kubectl('describe', 'nodes');
	assert.match(node.stdout, /ContainersIsolated +False .* Chroot +/);
});

test('a Job of an image runs where only pivot_root is refused', { skip }, async (t) => {
	const server = await serverIn(t, temporaryFolder(t), withoutPivotCommand());
	assert.match(server.process.stderr, /\(level chroot: pivot: operation not permitted\)/);
	await job(server, 'image', {});
	await becomes(server, 'image', 'Complete');
	assert.equal((await server.kubectl('logs', 'job/image')).stdout, '/app/run one /app 1000\n');
});

test('a Job continues when its server and launcher are killed, and leaves nothing', { skip }, async (t) => {
	const folder = temporaryFolder(t);
	const first = await serverIn(t, folder);
	const seconds = String(1_000_000 + process.pid);
	const isRunning = (): boolean => withArguments('sleep', seconds).length > 0;
	await job(first, 'long', { command: ['sh', '-c', `echo begun; sleep ${seconds}; echo ended $?`] });
	// What the launcher has read and not written yet would be lost with it.
	while ((await first.kubectl('logs', 'job/long')).stdout !== 'begun\n') await pause(50);
	while (!isRunning()) await pause(50);
	const { pid } = JSON.parse(readFileSync(join(folder, 'runtime/launcher.lock'), 'utf8'));
	process.kill(pid, 'SIGKILL');
	await first.stop('SIGKILL');
	const second = await serverIn(t, folder);
	const [sleeping = 0] = withArguments('sleep', seconds);
	process.kill(sleeping, 'SIGTERM');
	await becomes(second, 'long', 'Complete');
	// The shell reports what has ended its child.
	assert.equal((await second.kubectl('logs', 'job/long')).stdout, 'begun\nTerminated\nended 143\n');
	const script = `trap "" TERM; (setsid sleep ${seconds} &); sleep ${seconds}`;
	await job(second, 'deleted', { command: ['sh', '-c', script] }, { terminationGracePeriodSeconds: 1 });
	while (!isRunning()) await pause(50);
	await second.kubectl('delete', 'jobs', '--all');
	await second.kubectl('wait', '--for=delete', 'pods', '--all', '--timeout=60s');
	while (isRunning()) await pause(50);
	while (readdirSync(join(folder, 'images/store/containers')).length > 0) await pause(50);
});
