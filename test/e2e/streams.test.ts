import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, realpathSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { atEnd, type Finished, ROOT, Running, run, temporaryFolder } from '../support/processes.ts';
import { type StintServer, startStint } from '../support/stint-server.ts';

/**
 * Real kubectl of several versions attaches to containers, runs commands in them and forwards ports: over WebSockets, over
 * SPDY, and over SPDY inside WebSockets.
 */

const CAT = `
apiVersion: v1
kind: Pod
metadata: {name: NAME}
spec:
  restartPolicy: Never
  containers:
  - {name: main, image: busybox, command: [cat], stdin: true, stdinOnce: true}
`;

/** A kubectl to test with, and the variables that choose its protocols. */
interface Kubectl {
	readonly name: string;
	readonly program: string;
	readonly env: NodeJS.ProcessEnv;
	/** Whether it speaks SPDY on its connections, and not in WebSockets. */
	readonly isOld: boolean;
}

const SPDY = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' };

/** The kubectl of the PATH with either protocol, and the oldest and newest of other versions beside it. */
function kubectls(): readonly Kubectl[] {
	const found: Kubectl[] = [
		{ name: 'kubectl', program: 'kubectl', env: {}, isOld: false },
		{ name: 'kubectl with SPDY', program: 'kubectl', env: SPDY, isOld: true },
	];
	const folders = (process.env.PATH ?? '').split(delimiter);
	for (const folder of folders) {
		try {
			const real = dirname(realpathSync(join(folder, 'kubectl')));
			const versions = readdirSync(real).filter((name) => /^kubectl\.1\.\d+$/.test(name));
			const [oldest, newest] = [versions.sort().at(0), versions.at(-1)];
			for (const name of new Set([oldest, newest])) {
				const isOld = Number(name?.split('.').at(-1)) < 31;
				if (name !== undefined) found.push({ name, program: join(real, name), env: {}, isOld });
			}
			break;
		} catch {
			// This folder of the PATH has no kubectl.
		}
	}
	return found;
}

class Client {
	readonly #server: StintServer;
	readonly #kubectl: Kubectl;

	constructor(server: StintServer, kubectl: Kubectl) {
		this.#server = server;
		this.#kubectl = kubectl;
	}

	get #env(): NodeJS.ProcessEnv {
		return { ...this.#server.env, ...this.#kubectl.env };
	}

	run(input: string, ...args: readonly string[]): Promise<Finished> {
		return run(this.#kubectl.program, args, { env: this.#env, input });
	}

	start(...args: readonly string[]): Running {
		return new Running(this.#kubectl.program, args, this.#env);
	}
}

async function runningPod(server: StintServer, manifest: string, name: string): Promise<void> {
	const applied = await server.kubectlWith(manifest.replace('NAME', name), 'apply', '-f', '-');
	assert.equal(applied.code, 0, applied.stderr);
	const ready = await server.kubectl('wait', '--for=condition=Ready', '--timeout=30s', `pod/${name}`);
	assert.equal(ready.code, 0, ready.stderr);
}

test('each kubectl runs commands in containers and attaches to them', async (t) => {
	const server = await startStint(t, { args: ['--runtime', 'fake'] });
	for (const [index, kubectl] of kubectls().entries()) {
		const client = new Client(server, kubectl);
		await t.test(`${kubectl.name}: exec`, async () => {
			const name = `exec-${index}`;
			await runningPod(server, CAT, name);
			const input = 'a line of input\n'.repeat(60_000);
			const cat = await client.run(input, 'exec', '-i', name, '--', 'cat');
			assert.deepEqual([cat.code, cat.stderr], [0, '']);
			assert.ok(cat.stdout === input, `${cat.stdout.length} characters`);
			const failed = await client.run('', 'exec', name, '--', 'sh', '-c', 'exit 7');
			assert.deepEqual([failed.code, failed.stderr], [7, 'command terminated with exit code 7\n']);
			const refused = await client.run('', 'exec', name, '-c', 'other', '--', 'true');
			assert.match(refused.stderr, /container other is not valid for pod/);
			await server.kubectl('delete', 'pod', name, '--now');
		});

		await t.test(`${kubectl.name}: attach, until the container ends with its input`, async () => {
			const name = `attach-${index}`;
			await runningPod(server, CAT, name);
			const attached = await client.run('one\ntwo\n', 'attach', '-i', name, '-q');
			assert.equal(attached.code, 0, attached.stderr);
			assert.equal(attached.stdout, 'one\ntwo\n');
			const done = ['wait', '--for=jsonpath={.status.phase}=Succeeded', '--timeout=30s', `pod/${name}`];
			assert.equal((await server.kubectl(...done)).code, 0);
		});

		await t.test(`${kubectl.name}: run -i --rm`, async () => {
			const args = ['run', `run-${index}`, '-i', '--rm', '--restart=Never', '--image=busybox', '--command'];
			const finished = await client.run('typed\n', ...args, '--', 'cat');
			assert.equal(finished.code, 0, finished.stderr);
			assert.match(finished.stdout, /^typed$/m);
		});
	}
});

const HOST_CAT = `
apiVersion: v1
kind: Pod
metadata: {name: NAME}
spec:
  restartPolicy: Never
  containers:
  - {name: main, image: none, command: [sh, -c, "cat; sleep 0.1"], stdin: true, stdinOnce: true}
`;

/** The reason in the answer of a runtime that cannot do something yet. */
const NOT_YET = /this runtime runs host processes and cannot .* yet/;

test('each kubectl runs commands in host processes and attaches to them', async (t) => {
	const server = await startStint(t);
	atEnd(t, () => server.kubectl('delete', 'pod', '--all', '--now'));
	await runningPod(server, HOST_POD, 'host');
	const [cannot] = NOT_YET.exec((await server.kubectl('exec', 'host', '--', 'true')).stderr) ?? [];
	for (const [index, kubectl] of kubectls().entries()) {
		const client = new Client(server, kubectl);
		await t.test(`${kubectl.name}: exec`, { skip: cannot ?? false }, async () => {
			const input = 'a line of input\n'.repeat(60_000);
			const cat = await client.run(input, 'exec', '-i', 'host', '--', 'cat');
			assert.deepEqual([cat.code, cat.stderr], [0, '']);
			assert.ok(cat.stdout === input, `${cat.stdout.length} characters`);
			const failed = await client.run('', 'exec', 'host', '--', 'sh', '-c', 'echo no >&2; exit 7');
			assert.deepEqual([failed.code, failed.stderr], [7, 'no\ncommand terminated with exit code 7\n']);
		});

		await t.test(`${kubectl.name}: attach`, { skip: cannot ?? false }, async () => {
			const name = `attach-${index}`;
			await runningPod(server, HOST_CAT, name);
			const attached = await client.run('one\ntwo\n', 'attach', '-i', name, '-q');
			assert.deepEqual([attached.code, attached.stdout], [0, 'one\ntwo\n']);
		});
	}
});

const HOST_POD = `
apiVersion: v1
kind: Pod
metadata: {name: NAME}
spec:
  containers:
  - {name: main, image: none, command: [sleep, "100000"]}
`;

test('each kubectl forwards ports of the runtime of host processes', async (t) => {
	const server = await startStint(t);
	atEnd(t, () => server.kubectl('delete', 'pod', '--all', '--now'));
	await runningPod(server, HOST_POD, 'web');
	const echo = await echoServer(t);
	const closed = await echoServer(t);
	closed.server.close();
	for (const kubectl of kubectls()) {
		const client = new Client(server, kubectl);
		await t.test(`${kubectl.name}: connections in parallel, with half-closed ones`, async () => {
			const forwarding = client.start('port-forward', '-v=6', 'pod/web', `:${echo.port}`);
			const [, port] = await forwarding.printed(/Forwarding from 127\.0\.0\.1:(\d+) -> /);
			const text = 'x'.repeat(300_000);
			const answers = await Promise.all(Array.from({ length: 20 }, () => exchange(Number(port), text)));
			for (const answer of answers) assert.ok(answer === text, `${answer.length} bytes`);
			forwarding.child.kill('SIGINT');
			const { stderr } = await forwarding.finished;
			// A kubectl that uses WebSockets tries SPDY by a POST after a refusal.
			const usesSpdy = /\bPOST\b.*\/portforward/.test(stderr);
			assert.equal(usesSpdy, kubectl.isOld, stderr);
		});

		await t.test(`${kubectl.name}: a port on which nothing listens`, async () => {
			const forwarding = client.start('port-forward', 'pod/web', `:${closed.port}`);
			const [, port] = await forwarding.printed(/Forwarding from 127\.0\.0\.1:(\d+) -> /);
			assert.equal(await exchange(Number(port), 'x'), '');
			const finished = await forwarding.finished;
			assert.match(
				finished.stderr,
				/error forwarding port \d+ to pod web, uid [^:]+: dial tcp4 .*connection refused/,
			);
		});
	}
});

test('stint forwards ports, and its connections end with it', async (t) => {
	const server = await startStint(t);
	atEnd(t, () => server.kubectl('delete', 'pod', '--all', '--now'));
	await runningPod(server, HOST_POD, 'web');
	const echo = await echoServer(t);
	const args = ['port-forward', 'web', `:${echo.port}`, '--address', '127.0.0.1'];
	const forwarding = new Running(join(ROOT, 'stint'), args, server.env);
	const [, port] = await forwarding.printed(/Forwarding from 127\.0\.0\.1:(\d+) -> /);
	const text = 'x'.repeat(300_000);
	const answers = await Promise.all(Array.from({ length: 20 }, () => exchange(Number(port), text)));
	for (const answer of answers) assert.ok(answer === text, `${answer.length} bytes`);
	const open = connect({ port: Number(port), host: '127.0.0.1' });
	open.write('x');
	await once(open, 'data');
	const [socket] = await Promise.all([once(open, 'close'), forwarding.child.kill('SIGINT')]);
	assert.ok(socket);
	const { code } = await forwarding.finished;
	assert.equal(code, 130);
});

async function echoServer(t: TestContext): Promise<{ readonly port: number; readonly server: Server }> {
	const server = createServer({ allowHalfOpen: true }, (socket) => {
		socket.on('error', () => undefined);
		socket.pipe(socket);
	});
	await once(server.listen(0, '127.0.0.1'), 'listening');
	t.after(() => server.close());
	const address = server.address();
	assert.ok(typeof address === 'object' && address);
	return { port: address.port, server };
}

/** Sends a text, ends its own direction, and resolves to the complete answer; empty if the connection fails. */
async function exchange(port: number, text: string): Promise<string> {
	const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
	socket.end(text);
	const pieces: Buffer[] = [];
	try {
		for await (const piece of socket) pieces.push(piece);
	} catch {
		return '';
	}
	return Buffer.concat(pieces).toString();
}

test('stint runs commands, attaches and forwards ports as kubectl does', async (t) => {
	const server = await startStint(t, { args: ['--runtime', 'fake'] });
	await runningPod(server, CAT, 'cat');
	const stint = join(ROOT, 'stint');
	const withInput = (input: string, ...args: readonly string[]): Promise<Finished> =>
		run(stint, args, { env: server.env, input });

	await t.test('exec: input, output and exit codes', async () => {
		const input = 'a line of input\n'.repeat(60_000);
		const cat = await withInput(input, 'exec', '-i', 'cat', '--', 'cat');
		assert.deepEqual([cat.code, cat.stderr], [0, '']);
		assert.ok(cat.stdout === input, `${cat.stdout.length} characters`);
		const failed = await withInput('', 'exec', 'pod/cat', '--', 'sh', '-c', 'exit 7');
		assert.deepEqual([failed.code, failed.stderr], [7, 'command terminated with exit code 7\n']);
		const args = await withInput('', 'exec', 'cat', '--', 'echo', '-n', '--', 'x');
		assert.equal(args.stdout, '-n -- x\n');
		const undashed = await withInput('', 'exec', 'cat', 'echo');
		assert.match(undashed.stderr, /is not supported anymore/);
	});

	await t.test('exec -it on a terminal, which is raw meanwhile and restored afterwards', async (t) => {
		const python = await run('python3', ['--version']).catch(() => undefined);
		if (python?.code !== 0) return t.skip('this test opens a terminal with python3');
		await runningPod(server, CAT, 'term');
		const inside = `"${stint}" exec -it term -- cat; stty -a | grep -o " -\\?icanon"`;
		const finished = await run('python3', ['-c', TERMINAL, 'sh', '-c', inside], { env: server.env });
		assert.equal(finished.code, 0, finished.stderr);
		// In raw mode the terminal does not echo, and passes Ctrl-C on; the fake cat returns it.
		assert.equal(finished.stdout, 'hello\u0003command terminated with exit code 137\r\n icanon\r\n');
	});

	await t.test('attach: until the container ends with its input', async () => {
		const attached = await withInput('one\ntwo\n', 'attach', '-i', 'cat');
		assert.deepEqual([attached.code, attached.stdout], [0, 'one\ntwo\n']);
		assert.match(attached.stderr, /try pressing enter\.\n$/);
		const done = ['wait', '--for=jsonpath={.status.phase}=Succeeded', '--timeout=30s', 'pod/cat'];
		assert.equal((await server.kubectl(...done)).code, 0);
	});
});

/**
 * Runs a command on a terminal of its own, types `hello` and Ctrl-C once the terminal is raw, and deletes the Pod when both
 * have come back: nothing else ends a command whose terminal passes every key on. Prints what the terminal shows.
 */
const TERMINAL = `
import os, pty, sys, termios, time
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
def raw():
    return not termios.tcgetattr(fd)[3] & termios.ICANON
while not raw():
    time.sleep(0.01)
os.write(fd, b'hello\\x03')
out = b''
while b'\\x03' not in out:
    out += os.read(fd, 1000)
import subprocess
subprocess.run(['kubectl', 'delete', 'pod', 'term', '--now', '--wait=false'], stdout=subprocess.DEVNULL)
try:
    while True:
        piece = os.read(fd, 1000)
        if not piece: break
        out += piece
except OSError:
    pass
os.waitpid(pid, 0)
sys.stdout.buffer.write(out)
`;

test('client-go runs commands with both of its executors', async (t) => {
	const source = join(ROOT, 'test/e2e/client-go');
	const version = await run('go', ['version']).catch(() => undefined);
	if (version?.code !== 0) return t.skip('Go is not installed on this machine');
	const modules = await run('go', ['-C', source, 'mod', 'download']);
	if (modules.code !== 0) return t.skip(`the modules of client-go cannot be downloaded: ${modules.stderr}`);
	const program = join(temporaryFolder(t), 'streams');
	const built = await run('go', ['-C', source, 'build', '-o', program, './streams']);
	assert.equal(built.code, 0, built.stderr);
	const server = await startStint(t, { args: ['--runtime', 'fake'] });
	await runningPod(server, CAT, 'p');
	const { code, stdout, stderr } = await run(program, ['-kubeconfig', server.kubeconfig, '-pod', 'p']);
	assert.equal(code, 0, stderr);
	for (const [index, line] of stdout.trimEnd().split('\n').entries()) {
		const { executor, echoes, exitCode, refusal } = JSON.parse(line);
		assert.deepEqual([executor, echoes, exitCode], [['spdy', 'websocket'][index], true, 7]);
		assert.match(refusal, /pods "missing" not found/);
	}
});

test('stint run -i passes its input to a container, and --rm deletes the Job', async (t) => {
	const server = await startStint(t, { args: ['--runtime', 'fake'] });
	const input = 'a line of input\n'.repeat(10_000);
	const stintRun = (name: string, flags: readonly string[], command: string): Promise<Finished> => {
		const args = ['run', name, ...flags, '--image=busybox', '--command', '--', command];
		return run(join(ROOT, 'stint'), args, { env: server.env, input });
	};
	// With -t the output comes from the session: the fake runtime writes no logs.
	const { code, stdout, stderr } = await stintRun('copies', ['-i', '-t', '--rm'], 'cat');
	assert.equal(code, 0, stderr);
	assert.ok(stdout === input, `${stdout.length} bytes`);
	assert.match(stderr, /^Unable to use a TTY - input is not a terminal or the right kind of file$/m);
	assert.match(stderr, /job.batch\/copies deleted\n$/);
	assert.match((await server.kubectl('get', 'job', 'copies')).stderr, /not found/);
	for (const command of ['cat', 'true']) {
		const ended = await stintRun(`runs-${command}`, ['-i'], command);
		assert.equal(ended.code, 0, ended.stderr);
		assert.doesNotMatch(ended.stderr, /[Ww]arning/);
	}
});
