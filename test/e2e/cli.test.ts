import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { type Finished, ROOT, Running, run, temporaryFolder } from '../support/processes.ts';
import { startStint } from '../support/stint-server.ts';

/**
 * The commands in processes of their own against a real server, beside real kubectl. Needs kubectl on the PATH.
 */

function ok({ code, stdout, stderr }: Finished): string {
	assert.equal(code, 0, `${stdout}\n${stderr}`);
	return stdout;
}

function manifest(name: string, more = ''): string {
	return `
apiVersion: batch/v1
kind: Job
metadata: {name: ${name}, labels: {chapter: jobs}}
spec:
  completions: 2
  parallelism: 2
${more}
  template:
    spec:
      restartPolicy: Never
      containers:
      - {name: main, image: busybox, command: [sh, -c, "echo one; echo two"]}
`;
}

test('stint handles a Job from apply to delete like kubectl', async (t) => {
	const server = await startStint(t);
	const file = join(temporaryFolder(t), 'job.yaml');
	writeFileSync(file, manifest('pair'));

	await t.test('apply creates the Job and then reports it unchanged, as does kubectl', async () => {
		assert.equal(ok(await server.stint('apply', '-f', file)), 'job.batch/pair created\n');
		assert.equal(ok(await server.stint('apply', '-f', file)), 'job.batch/pair unchanged\n');
		assert.equal(ok(await server.kubectl('apply', '-f', file)), 'job.batch/pair unchanged\n');
		writeFileSync(file, manifest('pair', '  backoffLimit: 3'));
		assert.equal(ok(await server.stint('apply', '-f', file)), 'job.batch/pair configured\n');
	});

	await t.test('get prints the same as kubectl', async () => {
		ok(await server.kubectl('wait', '--for=condition=Complete', '--timeout=60s', 'job/pair'));
		for (const args of [['jobs'], ['pods'], ['jobs', '-o', 'name'], ['pods', '-o', 'wide'], ['ns']]) {
			const [ours, theirs] = [
				ok(await server.stint('get', ...args)),
				ok(await server.kubectl('get', ...args)),
			];
			const ageless = (text: string): string => text.replace(/\b\d+s\b/g, 'AGE').replace(/ +/g, ' ');
			assert.equal(ageless(ours), ageless(theirs), args.join(' '));
		}
		const yaml = ['get', 'job', 'pair', '-o', 'yaml'];
		assert.equal(ok(await server.stint(...yaml)), ok(await server.kubectl(...yaml)));
	});

	await t.test('describe and logs show the finished Job', async () => {
		const described = ok(await server.stint('describe', 'job', 'pair'));
		assert.match(described, /0 Active \(0 Ready\) \/ 2 Succeeded \/ 0 Failed/);
		assert.match(described, /Job completed/);
		const [pod = ''] = ok(await server.stint('get', 'pods', '-o', 'name')).split('\n');
		assert.equal(ok(await server.stint('logs', pod)), 'one\ntwo\n');
		assert.equal(ok(await server.stint('logs', pod, '--tail', '1')), 'two\n');
		const both = ok(await server.stint('logs', 'job/pair'))
			.trim()
			.split('\n');
		assert.equal(
			both.filter((line) => /^\[pod\/pair-\w{5}\/main\] (one|two)$/.test(line)).length,
			4,
			both.join('\n'),
		);
	});

	await t.test('delete deletes the Pods too, and reports a Job that does not exist', async () => {
		assert.match(ok(await server.stint('delete', '-f', file)), /^job.batch "pair" deleted/);
		ok(await server.kubectl('wait', '--for=delete', '--timeout=60s', 'pod', '-l', 'job-name=pair'));
		const again = await server.stint('delete', 'job', 'pair');
		assert.equal(again.code, 1);
		assert.match(again.stderr, /Error from server \(NotFound\): jobs.batch "pair" not found/);
	});
});

test('apply applies neither of two documents if one is invalid', async (t) => {
	const server = await startStint(t);
	const file = join(temporaryFolder(t), 'jobs.yaml');
	writeFileSync(file, `${manifest('good')}---${manifest('bad').replace('Never', 'never')}`);
	const { code, stderr } = await server.stint('apply', '-f', file);
	assert.notEqual(code, 0);
	assert.match(stderr, /jobs\.yaml:\d+.*restartPolicy: Unsupported value: "never"/);
	assert.match(ok(await server.kubectl('get', 'jobs', '-o', 'name')), /^$/);
});

test('a command without a server prints how to start one', async (t) => {
	const env = { HOME: temporaryFolder(t), PATH: process.env.PATH };
	const { code, stderr } = await new Running(join(ROOT, 'stint'), ['get', 'jobs'], env).finished;
	assert.equal(code, 1);
	// Where the path of the program has a space, it is quoted for a shell.
	assert.match(stderr, /stint'? server/);
});

test('commands use the Unix socket of the server, and TLS without it', async (t) => {
	const folder = temporaryFolder(t);
	let server = await startStint(t, { folder });
	const socket = join(folder, 'api.sock');
	assert.equal(statSync(socket).mode & 0o777, 0o600);
	const get = async (): Promise<Finished> => server.stint('get', 'namespace', 'default', '-o', 'name');
	/** Replaces the address of the server: only the socket leads to it. */
	const blind = (): void => {
		const text = readFileSync(server.kubeconfig, 'utf8');
		writeFileSync(server.kubeconfig, text.replaceAll(server.url, 'https://127.0.0.1:1'));
	};
	blind();
	assert.equal(ok(await get()), 'namespace/default\n');
	assert.equal(ok(await server.stint('get', '--raw', '/readyz')), 'ok');
	const kubectl = await server.kubectl('config', 'set-context', '--current', '--namespace=kube-system');
	assert.equal(kubectl.code, 0, kubectl.stderr);
	assert.equal(ok(await get()), 'namespace/default\n');

	await server.stop('SIGKILL');
	assert.ok(existsSync(socket));
	assert.match((await get()).stderr, /^The connection to the server 127\.0\.0\.1:1 was refused/);
	server = await startStint(t, { folder });
	blind();
	assert.equal(ok(await get()), 'namespace/default\n');

	chmodSync(folder, 0o777);
	assert.match((await get()).stderr, /was refused/);
	chmodSync(folder, 0o700);
	const text = readFileSync(server.kubeconfig, 'utf8');
	writeFileSync(server.kubeconfig, text.replace(/token: .*/, 'token: other'));
	assert.match((await get()).stderr, /Unauthorized|logged in/);

	await server.stop();
	assert.equal(existsSync(socket), false);
	server = await startStint(t, { folder });
	rmSync(socket);
	assert.equal(ok(await get()), 'namespace/default\n');
});

test('a server whose socket would have a path that is too long serves by TLS alone', async (t) => {
	const folder = join(temporaryFolder(t), 'x'.repeat(100));
	const server = await startStint(t, { folder, args: ['--runtime', 'fake'] });
	assert.equal(existsSync(join(folder, 'api.sock')), false);
	assert.doesNotMatch(readFileSync(server.kubeconfig, 'utf8'), /socket/);
	assert.equal(ok(await server.stint('get', 'namespace', 'default', '-o', 'name')), 'namespace/default\n');
});

test('a command at the Unix socket loads neither TLS nor what only manifests need', async (t) => {
	const server = await startStint(t, { args: ['--runtime', 'fake'] });
	const script = join(temporaryFolder(t), 'loaded.cjs');
	writeFileSync(script, 'process.on("exit", () => process._rawDebug(process.moduleLoadList.join(";")));');
	const env = { ...server.env, NODE_OPTIONS: `--require ${script}` };
	const { stderr } = await run(join(ROOT, 'stint'), ['get', 'jobs'], { env });
	const loaded = stderr.split(/[;\n]/).map((line) => line.replace('NativeModule ', ''));
	assert.ok(loaded.includes('http'), stderr);
	const needless = ['https', 'tls', 'crypto', 'fs/promises', 'dns', 'perf_hooks'];
	assert.deepEqual(
		loaded.filter((name) => needless.includes(name)),
		[],
	);
});
