import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { join } from 'node:path';
import test from 'node:test';
import { isRunning } from '../support/process-table.ts';
import { ROOT, run, temporaryFolder } from '../support/processes.ts';
import { startStint } from '../support/stint-server.ts';

/**
 * `stint server` as a process: its data folder, its restarts, its refusal of foreign requests, and Pods that
 * outlive it.
 */

/** A Job that runs a shell script. Kubernetes expands `$$` in a command to one dollar sign. */
/** For Pods whose programs tell their process ids: those of this machine. */
const HOST_PID = '\n      hostPID: true';

function job(name: string, script: string, more = ''): string {
	return `
apiVersion: batch/v1
kind: Job
metadata: {name: ${name}}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      ${more}
      containers:
      - {name: main, image: busybox, command: [sh, -c, ${JSON.stringify(script)}]}
`;
}

test('a second server on the same data folder or port fails with an error, and the first keeps serving', async (t) => {
	const first = await startStint(t);
	const args = ['server', '--data-dir', first.folder, '--port', '0'];
	const sameFolder = await run(join(ROOT, 'stint'), args);
	assert.notEqual(sameFolder.code, 0);
	assert.match(sameFolder.stderr, /in use/);
	assert.ok(sameFolder.stderr.includes(first.folder), sameFolder.stderr);
	const port = new URL(first.url).port;
	const samePort = await run(join(ROOT, 'stint'), [
		'server',
		'--data-dir',
		temporaryFolder(t),
		'--port',
		port,
	]);
	assert.notEqual(samePort.code, 0);
	assert.match(samePort.stderr, new RegExp(`port ${port} .*in use`));
	assert.equal((await first.kubectl('get', '--raw', '/readyz')).stdout, 'ok');
});

test('a server whose log is on a full disk serves, and stops in order', async (t) => {
	const under = ['sh', '-c', 'exec "$@" 2>/dev/full', 'sh'];
	// It logs which network Pods have.
	const server = await startStint(t, { under, args: ['--pod-network', 'auto'] });
	assert.equal((await server.kubectl('get', '--raw', '/readyz')).stdout, 'ok');
	const { code, stderr } = await server.stop();
	assert.deepEqual([code, stderr], [0, '']);
});

test('Pods keep running without the server, and a restarted server reports how they ended', async (t) => {
	for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
		await t.test(`a server that is stopped by ${signal}`, async (t) => {
			const folder = temporaryFolder(t);
			const before = await startStint(t, { folder });
			const [fifo, pidFile] = [join(folder, 'go'), join(folder, 'pid')];
			const script = `mkfifo ${fifo}; echo $$$$ > ${pidFile}; echo begun; read line < ${fifo}; echo ended`;
			await before.kubectlWith(job('survivor', script, HOST_PID), 'apply', '-f', '-');
			await before.kubectl(
				'wait',
				'--for=jsonpath={.status.phase}=Running',
				'pod',
				'-l',
				'job-name=survivor',
				'--timeout=60s',
			);
			await before.kubectl('logs', '-f', '--limit-bytes=6', 'job/survivor');
			const pid = Number(readFileSync(pidFile, 'utf8'));
			await before.stop(signal);
			assert.ok(isRunning(pid));
			await run('sh', ['-c', `echo go > ${fifo}`]);
			const after = await startStint(t, { folder });
			const waited = await after.kubectl('wait', '--for=condition=Complete', '--timeout=60s', 'job/survivor');
			assert.equal(waited.code, 0, waited.stderr);
			assert.equal((await after.kubectl('logs', 'job/survivor')).stdout, 'begun\nended\n');
			const restarts = ['get', 'pods', '-o', 'jsonpath={.items[*].status.containerStatuses[0].restartCount}'];
			assert.equal((await after.kubectl(...restarts)).stdout, '0');
		});
	}
});

test('the deletion of a Job ends its processes, also those that ignore SIGTERM', async (t) => {
	const server = await startStint(t);
	const pidFile = join(server.folder, 'pid');
	const script = `trap "" TERM; echo $$$$ > ${pidFile}; echo up; while :; do sleep 1; done`;
	await server.kubectlWith(
		job('stubborn', script, `terminationGracePeriodSeconds: 1${HOST_PID}`),
		'apply',
		'-f',
		'-',
	);
	await server.kubectl(
		'wait',
		'--for=jsonpath={.status.phase}=Running',
		'pod',
		'-l',
		'job-name=stubborn',
		'--timeout=60s',
	);
	await server.kubectl('logs', '-f', '--limit-bytes=3', 'job/stubborn');
	const pid = Number(readFileSync(pidFile, 'utf8'));
	assert.ok(isRunning(pid));
	await server.kubectl('delete', 'job', 'stubborn');
	const gone = await server.kubectl(
		'wait',
		'--for=delete',
		'pod',
		'-l',
		'job-name=stubborn',
		'--timeout=60s',
	);
	assert.equal(gone.code, 0, gone.stderr);
	assert.ok(!isRunning(pid));
});

test('the deletion of a namespace deletes all its objects', async (t) => {
	const server = await startStint(t);
	const namespace = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: demo}\n';
	await server.kubectlWith(namespace, 'apply', '-f', '-');
	await server.kubectlWith(job('inside', 'echo hi'), 'apply', '-n', 'demo', '-f', '-');
	await server.kubectl('wait', '-n', 'demo', '--for=condition=Complete', '--timeout=60s', 'job/inside');
	const deleted = await server.kubectl('delete', 'namespace', 'demo', '--timeout=60s');
	assert.equal(deleted.code, 0, deleted.stderr);
	assert.match((await server.kubectl('get', 'jobs,pods', '-A')).stderr, /No resources found/);
	assert.match((await server.kubectl('get', 'ns', 'demo')).stderr, /NotFound/);
});

test('a server refuses requests without a token, from a web page, and for another host name', async (t) => {
	const server = await startStint(t);
	const token = /token: "?([^"\s]+)/.exec(readFileSync(server.kubeconfig, 'utf8'))?.[1] ?? '';
	const status = (headers: Record<string, string>): Promise<number | undefined> =>
		new Promise((resolve, reject) => {
			const options = { headers, rejectUnauthorized: false, agent: false };
			https
				.get(`${server.url}/api/v1/namespaces`, options, (response) => {
					response.resume();
					resolve(response.statusCode);
				})
				.on('error', reject);
		});
	assert.equal(await status({ authorization: `Bearer ${token}` }), 200);
	assert.equal(await status({}), 401);
	assert.equal(await status({ authorization: 'Bearer wrong' }), 401);
	assert.equal(await status({ authorization: `Bearer ${token}`, origin: 'https://example.com' }), 403);
	assert.equal(await status({ authorization: `Bearer ${token}`, host: 'example.com' }), 403);
});

test('a restarted server keeps the user’s changes of the kubeconfig', async (t) => {
	const folder = temporaryFolder(t);
	const first = await startStint(t, { folder });
	await first.kubectl('config', 'set-context', '--current', '--namespace=demo');
	await first.kubectl('config', 'set-cluster', 'other', '--server=https://example.com');
	await first.stop();
	const second = await startStint(t, { folder });
	const view = JSON.parse((await second.kubectl('config', 'view', '-o', 'json')).stdout);
	assert.equal(view.contexts[0].context.namespace, 'demo');
	assert.deepEqual(view.clusters.map(({ name }: { name: string }) => name).sort(), ['other', 'stint']);
	const answered = await second.kubectl('get', 'jobs');
	assert.match(answered.stderr, /No resources found in demo namespace/);
});

test('a server names an unusable data folder and the reason at once', async (t) => {
	const parent = temporaryFolder(t);
	const file = join(parent, 'file');
	writeFileSync(file, '');
	const open = join(parent, 'open');
	mkdirSync(open);
	writeFileSync(join(open, 'state.db'), '');
	chmodSync(open, 0o777);
	const odd = join(parent, 'odd');
	mkdirSync(join(odd, 'kubeconfig'), { recursive: true });
	chmodSync(odd, 0o700);
	const reasons: ReadonlyArray<readonly [string, RegExp]> = [
		[file, /file is a file, not a folder/],
		[join(file, 'below'), /cannot be created: not a directory/],
		['/proc/stint', /\/proc\/stint cannot be created/],
		[open, /can be written to by other users/],
		[odd, /odd\/kubeconfig is a folder, not a file/],
	];
	for (const [folder, reason] of reasons) {
		const { code, stdout, stderr } = await run(join(ROOT, 'stint'), [
			'server',
			'--data-dir',
			folder,
			'--port',
			'0',
		]);
		assert.deepEqual({ code, stdout }, { code: 1, stdout: '' });
		assert.match(stderr, reason);
		assert.equal(stderr.trim().split('\n').length, 1);
	}
});

test('a server on a copy of a data folder reports that, and does not touch the Pods of the original', async (t) => {
	const original = await startStint(t);
	const script = 'echo up; sleep 1000';
	await original.kubectlWith(job('running', script), 'apply', '-f', '-');
	await original.kubectl(
		'wait',
		'--for=jsonpath={.status.phase}=Running',
		'pod',
		'-l',
		'job-name=running',
		'--timeout=60s',
	);
	const folder = join(temporaryFolder(t), 'copy');
	assert.equal((await run('cp', ['-a', original.folder, folder])).code, 0);
	const copy = await startStint(t, { folder });
	assert.ok(copy.process.stderr.includes(`is a copy of ${original.folder}`), copy.process.stderr);
	const lost = '--for=jsonpath={.status.containerStatuses[0].state.terminated.reason}=ContainerStatusUnknown';
	const waited = await copy.kubectl('wait', lost, 'pod', '-l', 'job-name=running', '--timeout=60s');
	assert.equal(waited.code, 0, waited.stderr);
	await copy.kubectl('delete', 'job', 'running');
	const phase = await original.kubectl('get', 'pods', '-o', 'jsonpath={.items[*].status.phase}');
	assert.equal(phase.stdout, 'Running');
	await original.kubectl('delete', 'job', 'running');
});
