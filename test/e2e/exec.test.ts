import assert from 'node:assert/strict';
import test from 'node:test';
import { Running } from '../support/processes.ts';
import { type StintServer, startStint } from '../support/stint-server.ts';

/** Real kubectl runs commands in containers of the fake runtime, over WebSockets. */

const MANIFEST = `
apiVersion: v1
kind: Pod
metadata: {name: NAME}
spec:
  restartPolicy: Never
  containers:
  - {name: main, image: busybox, command: COMMAND}
`;

async function podOf(server: StintServer, name: string, command: string): Promise<void> {
	const manifest = MANIFEST.replace('NAME', name).replace('COMMAND', command);
	assert.equal((await server.kubectlWith(manifest, 'apply', '-f', '-')).code, 0);
}

test('kubectl exec runs commands, with input and exit codes', async (t) => {
	const server = await startStint(t, { args: ['--runtime', 'fake'] });
	await podOf(server, 'runs', '[sleep, infinity]');
	const ready = await server.kubectl('wait', '--for=condition=Ready', '--timeout=30s', 'pod/runs');
	assert.equal(ready.code, 0, ready.stderr);

	await t.test('output and exit code 0', async () => {
		const echo = await server.kubectl('exec', 'runs', '--', 'echo', 'one', 'two  three');
		assert.deepEqual([echo.code, echo.stdout, echo.stderr], [0, 'one two  three\n', '']);
	});

	await t.test('another exit code', async () => {
		const failed = await server.kubectl('exec', 'runs', '-c', 'main', '--', 'sh', '-c', 'exit 7');
		assert.deepEqual([failed.code, failed.stderr], [7, 'command terminated with exit code 7\n']);
	});

	await t.test('standard input of many frames, until its end', async () => {
		const input = 'a line of input\n'.repeat(100_000);
		const cat = await server.kubectlWith(input, 'exec', '-i', 'runs', '--', 'cat');
		assert.deepEqual([cat.code, cat.stderr], [0, '']);
		assert.equal(cat.stdout.length, input.length);
		assert.ok(cat.stdout === input);
	});

	await t.test('a refused request says why', async () => {
		await podOf(server, 'ended', '["true"]');
		const done = ['wait', '--for=jsonpath={.status.phase}=Succeeded', '--timeout=30s', 'pod/ended'];
		assert.equal((await server.kubectl(...done)).code, 0);
		const ended = await server.kubectl('exec', 'ended', '--', 'true');
		assert.match(ended.stderr, /completed pod; current phase is Succeeded/);
		const container = await server.kubectl('exec', 'runs', '-c', 'other', '--', 'true');
		assert.match(container.stderr, /container other is not valid for pod runs/);
		assert.notEqual(container.code, 0);
	});

	await t.test('a command ends with its client, and a server that stops ends the command', async () => {
		const metric =
			'apiserver_longrunning_requests{verb="CONNECT",group="",version="v1",resource="pods",subresource="exec"';
		const openSessions = async (): Promise<boolean> => {
			const { stdout } = await server.kubectl('get', '--raw', '/metrics');
			return stdout.includes(metric);
		};
		const sleeping = new Running('kubectl', ['exec', 'runs', '--', 'sleep', 'infinity'], server.env);
		while (!(await openSessions()));
		sleeping.child.kill('SIGKILL');
		while (await openSessions());
		const second = new Running('kubectl', ['exec', 'runs', '--', 'sleep', 'infinity'], server.env);
		while (!(await openSessions()));
		const [stopped, ended] = await Promise.all([server.stop(), second.finished]);
		assert.equal(stopped.code, 0, stopped.stderr);
		assert.notEqual(ended.code, 0);
	});
});
