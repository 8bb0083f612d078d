import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { jobs } from '../../src/api/batch/job/definition.ts';
import { CHANNELS, type Duplex } from '../../src/api/contract/duplex.ts';
import { pods } from '../../src/api/core/pod/definition.ts';
import type { Container } from '../../src/api/core/pod/schema.ts';
import { services } from '../../src/api/core/service/definition.ts';
import { duplexPair } from '../../src/api/streams/duplex-pair.ts';
import { nextTurn } from '../../src/base/turn.ts';
import { attach } from '../../src/cli/commands/attach.ts';
import { exec } from '../../src/cli/commands/exec.ts';
import { type LogsFlags, logs } from '../../src/cli/commands/logs.ts';
import { portForward } from '../../src/cli/commands/port-forward.ts';
import { CliWorld, type Ended } from './cli-world.ts';

const RUNNING = { running: { startedAt: '2026-01-01T00:00:00Z' } };

async function world(t: TestContext, containers: readonly Partial<Container>[] = [{}]): Promise<CliWorld> {
	const opened = await CliWorld.open(t);
	await opened.client.resource(pods, 'default').create({
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: { name: 'p', namespace: 'default' },
		spec: {
			containers: containers.map((container, index) => ({ name: `c${index}`, image: 'i', ...container })),
			nodeName: 'node',
		},
		status: {},
	});
	await opened.report('p', 'Running', RUNNING);
	return opened;
}

const run = (opened: CliWorld, command: readonly string[], flags = {}, target = ['p']): Promise<Ended> =>
	opened.run((context) => exec(context, { target, command }, flags));

test('exec passes input and output on, and has the exit code of the command', async (t) => {
	const opened = await world(t);
	opened.stdin = 'abc';
	const { code, stdout, stderr } = await run(opened, ['cat', '-'], { stdin: true });
	assert.equal(code, 3);
	assert.equal(stdout, 'abc');
	const [options = '', ...rest] = stderr.split('}');
	assert.deepEqual(JSON.parse(`${options}}`), {
		...{ command: ['cat', '-'], stdin: true, stdout: true, stderr: true, tty: false },
		...{ container: 'c0', namespace: 'default', pod: 'p' },
	});
	assert.deepEqual(rest, ['command terminated with exit code 3\n']);
	const silent = await run(opened, ['cat'], {});
	assert.deepEqual([silent.code, silent.stdout], [0, '']);
});

test('exec says which container it has chosen, and why it cannot run a command', async (t) => {
	const opened = await world(t, [{}, {}]);
	const chosen = await run(opened, ['cat']);
	assert.match(chosen.stderr, /^Defaulted container "c0" out of: c0, c1\n/);
	assert.doesNotMatch((await run(opened, ['cat'], { quiet: true })).stderr, /Defaulted/);
	const refused = async (...args: Parameters<typeof run> extends [CliWorld, ...infer R] ? R : never) => {
		const { code, stderr } = await run(opened, ...args);
		assert.equal(code, 1);
		return stderr;
	};
	assert.equal(await refused(['cat'], { container: 'x' }), 'error: container x not found in pod p\n');
	assert.equal(await refused(['cat'], {}, ['q']), 'Error from server (NotFound): pods "q" not found\n');
	assert.equal(await refused([]), 'error: you must specify at least one command for the container\n');
	assert.match(await refused([], {}, ['p', 'cat']), /exec \[POD\] \[COMMAND\] is not supported anymore/);
	assert.match(
		await refused(['cat'], { podRunningTimeout: 'soon' }),
		/invalid argument "soon" for "--pod-running-timeout" flag: time: invalid duration "soon"\n/,
	);
	opened.node = { ...opened.node, exec: async () => lost('the connection was closed with code 1006') };
	assert.match(await refused(['cat']), /error: the connection was closed with code 1006\n$/);
	await opened.report('p', 'Succeeded', opened.ended(0, 'p-run'));
	assert.equal(
		await refused(['cat']),
		'error: cannot exec into a container in a completed pod; current phase is Succeeded\n',
	);
});

function lost(message: string): Duplex {
	const [caller, own] = duplexPair();
	own.close({ type: 'failed', message });
	return caller;
}

test('exec into a Job uses the Pod that runs, and waits for one', async (t) => {
	const opened = await CliWorld.open(t);
	const manifest = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'j', namespace: 'default' } };
	const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } };
	const job = await opened.client
		.resource(jobs, 'default')
		.create({ ...manifest, spec: { template } } as never);
	const waiting = run(opened, ['cat'], {}, ['job/j']);
	await opened.createPod(job, 'j-1');
	assert.match((await waiting).stderr, /"pod":"j-1"/);
	await opened.createPod(job, 'j-2');
	await opened.report('j-2', 'Running', RUNNING);
	assert.match((await run(opened, ['cat'], {}, ['job/j'])).stderr, /"pod":"j-2"/);
	assert.match((await run(opened, ['cat'], {}, ['job/x'])).stderr, /NotFound/);
});

test('a terminal is set to raw mode, its sizes are sent, and it is restored in every end', async (t) => {
	const opened = await world(t, [{ tty: true, stdin: true }]);
	opened.terminal = { width: 80, height: 24 };
	const ends: Duplex[] = [];
	const open = async (): Promise<Duplex> => {
		const [caller, other] = duplexPair();
		ends.unshift(other);
		return caller;
	};
	opened.node = { ...opened.node, exec: open, attach: open };
	const sizes = async (count: number): Promise<readonly string[]> => {
		const seen: string[] = [];
		while (seen.length < count) {
			const message = await ends[0]?.receive();
			if (message?.type === 'data' && message.channel === CHANNELS.resize)
				seen.push(Buffer.from(message.bytes).toString());
		}
		return seen;
	};
	const started = async (): Promise<void> => {
		while (opened.rawModes === 0) await nextTurn();
	};
	const executing = run(opened, ['sh'], { stdin: true, tty: true });
	await started();
	assert.deepEqual(await sizes(1), ['{"Width":80,"Height":24}\n']);
	opened.terminal = { width: 100, height: 30 };
	for (const listener of opened.onResize) listener();
	assert.deepEqual(await sizes(1), ['{"Width":100,"Height":30}\n']);
	ends[0]?.close({ type: 'failed', message: 'gone' });
	assert.equal((await executing).code, 1);
	assert.deepEqual([opened.rawModes, opened.onResize.size], [0, 0]);
	const attaching = opened.run((context) => attach(context, ['p'], { stdin: true, tty: true }));
	await started();
	assert.deepEqual(await sizes(2), ['{"Width":101,"Height":31}\n', '{"Width":100,"Height":30}\n']);
	ends[0]?.close();
	const { code, stdout, stderr } = await attaching;
	assert.equal(code, 0);
	assert.match(
		stderr,
		/^All commands and output .*\nIf you don't see a command prompt, try pressing enter\.\n$/,
	);
	assert.equal(stdout, "Session ended, resume using 'stint attach p -c c0 -n default -i -t' command\n");
	assert.equal(opened.rawModes, 0);
});

test('without a terminal here or there, the session has none', async (t) => {
	const opened = await world(t);
	const notice = 'Unable to use a TTY - input is not a terminal or the right kind of file\n';
	const plain = await run(opened, ['cat'], { stdin: true, tty: true });
	assert.ok(plain.stderr.startsWith(notice), plain.stderr);
	opened.terminal = { width: 80, height: 24 };
	opened.stdin = 'typed';
	const attached = await opened.run((context) => attach(context, ['pod', 'p'], { stdin: true, tty: true }));
	assert.match(attached.stderr, /^error: Unable to use a TTY - container c0 did not allocate one\n/);
	assert.deepEqual([attached.code, attached.stdout, opened.rawModes], [0, 'typed', 0]);
});

test('port-forward passes connections on, reports a port that is taken, and ends with an error', async (t) => {
	const opened = await world(t, [{ ports: [{ name: 'http', containerPort: 80 }] }]);
	opened.ports.set('127.0.0.1:90', () => undefined);
	opened.ports.set('::1:90', () => undefined);
	const started = opened.start((context) =>
		portForward(context, ['pod/p', '8080:http', '90', ':81'], { address: 'localhost' }),
	);
	while (!started.stdout.text.includes('-> 81')) await nextTurn();
	assert.deepEqual(started.stdout.text.trimEnd().split('\n').slice(0, 2), [
		'Forwarding from 127.0.0.1:8080 -> 80',
		'Forwarding from [::1]:8080 -> 80',
	]);
	assert.match(started.stderr.text, /^Unable to listen on port 90: .*EADDRINUSE/);
	const [local, accepted] = duplexPair();
	opened.ports.get('127.0.0.1:8080')?.(accepted);
	await local.send({ type: 'data', channel: 0, bytes: Buffer.from('hello') });
	await local.send({ type: 'end', channel: 0 });
	const answer = await local.receive();
	assert.equal(answer?.type === 'data' && Buffer.from(answer.bytes).toString(), 'hello');
	assert.deepEqual(await local.receive(), { type: 'end', channel: 0 });
	const [, refused] = duplexPair();
	[...opened.ports].find(([key]) => key.startsWith('127.0.0.1:4'))?.[1](refused);
	const { code, stdout, stderr } = await started.ended;
	assert.equal(code, 1);
	assert.match(stdout, /Handling connection for 8080\n.*Handling connection for 4/s);
	assert.match(stderr, /error forwarding port 81 to pod p, uid .*refused\nerror: lost connection to pod\n$/);
	assert.deepEqual([...opened.ports.keys()], ['127.0.0.1:90', '::1:90']);
});

test('port-forward checks its arguments, and ends with an interruption', async (t) => {
	const opened = await world(t);
	const refused = async (...words: readonly string[]): Promise<string> =>
		(await opened.run((context) => portForward(context, words, { address: 'localhost' }))).stderr;
	assert.match(await refused('p'), /TYPE\/NAME and list of ports are required/);
	assert.match(await refused('p', 'http'), /Pod 'p' does not have a named port 'http'/);
	assert.match(await refused('p', 'x:80'), /error parsing local port 'x' in 'x:80'/);
	assert.match(await refused('p', '1:2:3'), /invalid port format '1:2:3'/);
	assert.match(await refused('p', '80:0'), /remote port must be > 0/);
	const started = opened.start((context) => portForward(context, ['p', '80'], { address: '127.0.0.1' }));
	while (started.stdout.text === '') await nextTurn();
	started.interrupt();
	assert.equal((await started.ended).code, 130);
	assert.equal(opened.ports.size, 0);
	await opened.report('p', 'Pending', { waiting: {} });
	assert.match(await refused('p', '80'), /pod is not running. Current status=Pending/);
});

test("port-forward takes the ports of a Service to one of its Pods' target ports", async (t) => {
	const opened = await world(t, [{ ports: [{ name: 'http', containerPort: 8181 }] }]);
	await opened.client.resource(pods, 'default').patch('p', 'merge', { metadata: { labels: { app: 'web' } } });
	const made = (name: string, spec: object): Promise<unknown> =>
		opened.client.resource(services, 'default').create({
			apiVersion: 'v1',
			kind: 'Service',
			metadata: { name },
			spec,
			status: { loadBalancer: {} },
		});
	const ports = [
		{ name: 'web', port: 80, targetPort: 'http' },
		{ name: 'same', port: 9090, targetPort: 9090 },
		{ name: 'udp', port: 53, targetPort: 5353, protocol: 'UDP' },
	];
	await made('web', { selector: { app: 'web' }, ports });
	await made('bare', { ports: [{ port: 80 }] });
	const words = ['svc/web', 'web', '8080:80', ':9090'];
	const started = opened.start((context) => portForward(context, words, { address: '127.0.0.1' }));
	while (!started.stdout.text.includes('-> 9090')) await nextTurn();
	assert.match(
		started.stdout.text,
		/^Forwarding from 127.0.0.1:80 -> 8181\nForwarding from 127.0.0.1:8080 -> 8181\n/,
	);
	started.interrupt();
	await started.ended;
	const refused = async (...given: readonly string[]): Promise<string> =>
		(await opened.run((context) => portForward(context, given, { address: '127.0.0.1' }))).stderr;
	assert.match(await refused('svc/web', '81'), /Service web does not have a service port 81/);
	assert.match(await refused('svc/web', ':53'), /UDP protocol is not supported for 53/);
	assert.match(await refused('svc/web', 'x'), /Service 'web' does not have a named port 'x'/);
	assert.match(
		await refused('svc/bare', '80'),
		/invalid service 'bare': Service is defined without a selector/,
	);
});

test('logs follows at most as many logs at once as allowed, and can ignore those that cannot be read', async (t) => {
	const opened = await world(t, [{}, {}]);
	opened.logs.set('p/c0', 'one\n');
	const print = (flags: Partial<LogsFlags>): Promise<Ended> =>
		opened.run((context) => logs(context, ['p'], { allContainers: true, ...flags }));
	const refused = await print({ follow: true, maxLogRequests: '1' });
	assert.equal(
		refused.stderr,
		'error: you are attempting to follow 2 log streams, but maximum allowed concurrency is 1, use --max-log-requests to increase the limit\n',
	);
	assert.match((await print({ follow: true, maxLogRequests: '0' })).stderr, /must be greater than 0/);
	// The second container has no status, so it has no log.
	const failed = await print({});
	assert.deepEqual([failed.code, failed.stdout], [1, 'one\n']);
	const ignored = await print({ ignoreErrors: true });
	assert.deepEqual([ignored.code, ignored.stdout], [0, 'one\n']);
	assert.match(ignored.stderr, /^\[pod\/p\/c1\] Error from server \(BadRequest\)/);
});
