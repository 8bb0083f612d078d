import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Duplex } from '../../../api/contract/duplex.ts';
import type { SandboxConfig } from '../../../api/contract/sandbox-config.ts';
import { freePort } from '../../../base/testing/free-port.ts';
import { PortForwardError, type RuntimeContainer, type Sandbox } from '../../contract.ts';
import { containerConfig, sandboxConfig } from '../../testing/configs.ts';
import type { ProcessRuntime } from '../process-runtime.ts';
import { probeMachine } from '../shim/probe.ts';
import { shimFile } from '../shim/shim-file.ts';
import { exitOf, type HostHarness, openHost, outputOf, start } from '../testing/host-harness.ts';
import { type Bridge, findBridges, hasPorts, linkNames } from './bridges.ts';
import { choosePodNetwork } from './network-choice.ts';

const choice = await choosePodNetwork('auto', { shim: shimFile(), machine: await probeMachine(shimFile()) });
/** Whether the networks are in that of the machine, or in one that an ordinary user has made. */
const isRoot = process.geteuid?.() === 0;
const AS_ROOT = 'another test, in node/, is for ordinary users';
const skip = choice.kind === 'pod' ? false : 'Pods cannot have networks of their own here';

/** Answers each connection with `name` and what it has received, once the other side has ended. */
function listener(name: string, host: string, port = 8080): readonly string[] {
	const script = `require('net').createServer({ allowHalfOpen: true }, (socket) => {
		let text = '';
		socket.on('data', (chunk) => { text += chunk; });
		socket.on('end', () => socket.end(${JSON.stringify(`${name}:`)} + text));
	}).listen(${port}, ${JSON.stringify(host)}, () => console.log('listens'))`;
	return [process.execPath, '-e', script];
}

/** Sends `text` to an address, and prints what is received. */
function caller(host: string, text: string, port = 8080): readonly string[] {
	const script = `const socket = require('net').connect({ port: ${port}, host: ${JSON.stringify(host)} });
		socket.end(${JSON.stringify(text)});
		socket.on('data', (chunk) => process.stdout.write(chunk)).on('error', (error) => console.log(error.code))`;
	return [process.execPath, '-e', script];
}

async function call(
	{ podSockets }: Pick<ProcessRuntime, 'podSockets'>,
	host: string,
	{ port, text }: { readonly port: number; readonly text: string },
): Promise<string> {
	const socket = await podSockets.connect({ host, port });
	socket.end(text);
	let received = '';
	for await (const chunk of socket) received += String(chunk);
	return received;
}

async function callThrough(stream: Duplex, text: string): Promise<string> {
	await stream.send({ type: 'data', channel: 0, bytes: Buffer.from(text) });
	await stream.send({ type: 'end', channel: 0 });
	let received = '';
	for (let message = await stream.receive(); message; message = await stream.receive())
		if (message.type === 'data') received += Buffer.from(message.bytes).toString();
	return received;
}

describe('Pods with networks of their own', { skip }, () => {
	let machine: HostHarness;
	let runtime: ProcessRuntime;
	let before: ReadonlySet<string>;
	/** The bridges that were made since the test has begun. */
	const ownBridges = (): readonly Bridge[] => findBridges().filter(({ key }) => !before.has(key));
	beforeEach(async () => {
		before = new Set(findBridges().map(({ key }) => key));
		machine = openHost({ podNetwork: 'pod' });
		runtime = machine.connect();
		await runtime.start();
	});
	afterEach(() => machine.close());

	const begin = async (
		sandbox: Sandbox,
		{ name = 'main', command }: { readonly name?: string; readonly command: readonly string[] },
	): Promise<RuntimeContainer> => {
		const config = containerConfig({ name, command, logPath: machine.logPath(`${sandbox.id}-${name}`) });
		const { id } = await runtime.createContainer(sandbox.id, config);
		return await runtime.startContainer(id);
	};
	const finish = async (
		sandbox: Sandbox,
		container: { readonly name?: string; readonly command: readonly string[] },
	): Promise<string> => {
		const { name = 'main' } = container;
		const exit = exitOf(runtime, `${sandbox.id}_${name}_0`);
		await begin(sandbox, container);
		return (await outputOf(machine, await exit)).trim();
	};
	const listens = async (sandbox: Sandbox, command: readonly string[]): Promise<RuntimeContainer> => {
		const container = await begin(sandbox, { command });
		while (!(await outputOf(machine, container)).includes('listens')) {
			const found = (await runtime.listContainers()).find(({ id }) => id === container.id);
			assert.notEqual(found?.state, 'exited', await outputOf(machine, container));
			await machine.passTime(1);
		}
		return container;
	};
	const pod = (name: string, fields: Partial<SandboxConfig> = {}): Promise<Sandbox> =>
		runtime.runSandbox(sandboxConfig(name, fields));

	test('two Pods listen on the same port, and reach each other and the host', async () => {
		const [a, b] = [await pod('a'), await pod('b')];
		assert.notEqual(a.ip, b.ip);
		await listens(a, listener('a', '0.0.0.0'));
		await listens(b, listener('b', '0.0.0.0'));
		assert.equal(await call(runtime, a.ip, { port: 8080, text: 'from the host' }), 'a:from the host');
		assert.equal(await call(runtime, b.ip, { port: 8080, text: '1' }), 'b:1');
		assert.equal(await finish(a, { name: 'calls-b', command: caller(b.ip, 'from a') }), 'b:from a');
		assert.equal(await finish(a, { name: 'calls-itself', command: caller('127.0.0.1', '2') }), 'a:2');
		const host = await pod('on-host', {
			namespaces: { network: 'node', ipc: 'pod', pid: 'container', user: 'node' },
		});
		assert.equal(host.ip, '127.0.0.1');
		const port = await freePort();
		await listens(host, listener('host', '0.0.0.0', port));
		if (!isRoot) return;
		const gateway = b.ip.replace(/\d+\.\d+$/, '0.1');
		assert.equal(await finish(b, { name: 'calls-host', command: caller(gateway, '3', port) }), 'host:3');
	});

	test('all containers and commands of a Pod share its network, which any user may use', async () => {
		const sandbox = await pod('a');
		const main = await begin(sandbox, { command: ['sleep', '1000000'] });
		const show = [
			'sh',
			'-c',
			'readlink /proc/self/ns/net; cat /proc/sys/net/ipv4/ip_unprivileged_port_start',
		];
		const [network, port] = (await finish(sandbox, { name: 'other', command: show })).split('\n');
		assert.equal(port, '0');
		const own = execFileSync('readlink', ['/proc/self/ns/net'], { encoding: 'utf8' }).trim();
		assert.notEqual(network, own);
		const exec = { command: show, stdin: false, stdout: true, stderr: false, tty: false };
		const session = await runtime.exec(main.id, exec);
		let output = '';
		for (let message = await session.streams.receive(); message; message = await session.streams.receive())
			if (message.type === 'data') output += Buffer.from(message.bytes).toString();
		assert.equal(output.split('\n')[0], network);
	});

	test('a Pod has kernel parameters of its own', async () => {
		const path = '/proc/sys/net/ipv4/ip_local_port_range';
		const { honours } = runtime.traits;
		assert.equal(honours !== 'everything' && honours.has('spec.securityContext.sysctls'), isRoot);
		if (!isRoot) return;
		const before = readFileSync(path, 'latin1');
		const sandbox = await pod('a', { sysctls: { 'net.ipv4.ip_local_port_range': '40000 40100' } });
		assert.equal(await finish(sandbox, { command: ['cat', path] }), '40000\t40100');
		assert.equal(readFileSync(path, 'latin1'), before);
	});

	test('port-forward reaches a program that listens on the loopback address of the Pod alone', async () => {
		const sandbox = await pod('a');
		await listens(sandbox, listener('a', '127.0.0.1'));
		await assert.rejects(call(runtime, sandbox.ip, { port: 8080, text: '' }), { code: 'ECONNREFUSED' });
		const stream = await runtime.portForward(sandbox.id, 8080);
		const text = 'z'.repeat(300_000);
		assert.equal(await callThrough(stream, text), `a:${text}`);
		const kept = await runtime.portForward(sandbox.id, 8080);
		await assert.rejects(runtime.portForward(sandbox.id, 9), (error) => {
			assert.ok(error instanceof PortForwardError);
			assert.equal(
				error.message,
				'dial tcp4 127.0.0.1:9: connect: connection refused, dial tcp6 [::1]:9: connect: connection refused',
			);
			return true;
		});
		await runtime.removeSandbox(sandbox.id);
		await kept.closed;
	});

	test('a hostPort is open on loopback while its Pod runs', async () => {
		const hostPort = await freePort();
		const ports = [{ protocol: 'TCP', containerPort: 8080, hostPort, hostIP: '' }] as const;
		const sandbox = await pod('a', { ports });
		await listens(sandbox, listener('a', '0.0.0.0'));
		assert.equal(await call(runtime, '127.0.0.1', { port: hostPort, text: 'x' }), 'a:x');
		await runtime.stopSandbox(sandbox.id);
		await assert.rejects(call(runtime, '127.0.0.1', { port: hostPort, text: 'x' }), { code: 'ECONNREFUSED' });
	});

	test('a Pod whose hostPort is taken gets no sandbox, until the port is free', async () => {
		const taken = createServer();
		await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
		const address = taken.address();
		const hostPort = typeof address === 'object' ? (address?.port ?? 0) : 0;
		const free = await freePort();
		const common = { protocol: 'TCP', containerPort: 8080, hostIP: '' } as const;
		const ports = [
			{ ...common, hostPort: free },
			{ ...common, hostPort },
		];
		await assert.rejects(pod('a', { ports }), {
			message: `the hostPort ${hostPort} cannot be opened on 127.0.0.1: address already in use`,
		});
		assert.deepEqual(await runtime.listSandboxes(), []);
		await assert.rejects(call(runtime, '127.0.0.1', { port: free, text: '' }), { code: 'ECONNREFUSED' });
		await new Promise((resolve) => taken.close(resolve));
		await listens(await pod('a', { ports }), listener('a', '0.0.0.0'));
		assert.equal(await call(runtime, '127.0.0.1', { port: hostPort, text: 'x' }), 'a:x');
	});

	test('a hostPort for UDP passes datagrams on, and the answers back', async () => {
		const hostPort = await freePort();
		const ports = [{ protocol: 'UDP', containerPort: 8080, hostPort, hostIP: '127.0.0.1' }] as const;
		const sandbox = await pod('a', { ports });
		const script = `const socket = require('dgram').createSocket('udp4');
			socket.on('message', (text, { address, port }) => socket.send('a:' + text, port, address));
			socket.bind(8080, () => console.log('listens'))`;
		await listens(sandbox, [process.execPath, '-e', script]);
		const client = createSocket('udp4');
		for (const text of ['1', '2']) {
			client.send(text, hostPort, '127.0.0.1');
			const [answer] = await once(client, 'message');
			assert.equal(String(answer), `a:${text}`);
		}
		await runtime.stopSandbox(sandbox.id);
		const again = createSocket('udp4').bind(hostPort, '127.0.0.1');
		await once(again, 'listening');
		for (const socket of [client, again]) socket.close();
	});

	test('the address and the network survive a killed launcher, and stay with the Pod without a container', async () => {
		const sandbox = await pod('a');
		await listens(sandbox, listener('a', '0.0.0.0'));
		await machine.crash(runtime);
		while ((await runtime.listSandboxes().catch(() => [])).length === 0) await machine.passTime(1);
		const [again] = await runtime.listSandboxes();
		assert.equal(again?.ip, sandbox.ip);
		assert.equal(await call(runtime, sandbox.ip, { port: 8080, text: '1' }), 'a:1');
		assert.equal(await finish(sandbox, { name: 'joins', command: caller('127.0.0.1', '2') }), 'a:2');
		const other = await pod('b');
		await machine.crash(runtime);
		while ((await runtime.listSandboxes().catch(() => [])).length < 2) await machine.passTime(1);
		await listens(other, listener('b', '0.0.0.0'));
		assert.equal(await call(runtime, other.ip, { port: 8080, text: '3' }), 'b:3');
		await machine.crash(runtime);
		while ((await runtime.listSandboxes().catch(() => [])).length < 2) await machine.passTime(1);
		await runtime.stop({ killAll: true });
		assert.deepEqual(ownBridges(), []);
	});

	test('two servers have bridges and addresses of their own', async () => {
		const second = openHost({ podNetwork: 'pod' });
		const elsewhere = second.connect();
		await elsewhere.start();
		const [one, two] = [await pod('a'), await elsewhere.runSandbox(sandboxConfig('a'))];
		if (isRoot) assert.notEqual(one.ip.split('.')[1], two.ip.split('.')[1]);
		await listens(one, listener('one', '0.0.0.0'));
		await second.close();
		assert.equal(await call(runtime, one.ip, { port: 8080, text: '1' }), 'one:1');
	});

	test('the addresses of Services are those of this machine and its Pods while the server runs', {
		skip: isRoot ? false : AS_ROOT,
	}, async () => {
		const serviceRange = '10.111.248.0/24';
		const [first, second] = [openHost({ podNetwork: 'pod' }), openHost({ podNetwork: 'pod' })];
		const serving = first.connect({ serviceRange });
		await serving.start();
		const [bridge] = ownBridges().filter(({ services }) => services === serviceRange);
		assert.ok(bridge, 'made before the first Pod needs it');
		const server = createServer((socket) => socket.end('served'));
		await new Promise<void>((resolve) => server.listen(8080, '10.111.248.7', resolve));
		assert.equal(await call(serving, '10.111.248.7', { port: 8080, text: '' }), 'served');
		const command = caller('10.111.248.7', '');
		const { status } = await start(serving, containerConfig({ command, logPath: first.logPath('main') }));
		const ended = await exitOf(serving, status.id);
		assert.equal((await outputOf(first, ended)).trim(), 'served', 'from a Pod');
		if (filterRules() !== '') assert.match(filterRules(), new RegExp(`-A ${bridge.name}-input -j DROP`));
		await assert.rejects(
			second.connect({ serviceRange }).start(),
			/another program of this machine uses them/,
		);
		await first.crash(serving);
		while ((await serving.listSandboxes().catch(() => [])).length === 0) await first.passTime(1);
		assert.equal(await call(serving, '10.111.248.7', { port: 8080, text: '' }), 'served');
		server.close();
		await Promise.all([first.close(), second.close()]);
		await untilNone(() => ownBridges().some(({ services }) => services === serviceRange));
		assert.doesNotMatch(filterRules(), new RegExp(`${bridge.name}-`));
	});

	test('a hostPort is open on the address of the node too, or on that alone', {
		skip: isRoot ? false : AS_ROOT,
	}, async () => {
		const other = openHost({ podNetwork: 'pod' });
		const serving = other.connect({ serviceRange: '10.111.249.0/24' });
		await serving.start();
		const { podNetwork } = serving.traits;
		const nodeAddress = podNetwork?.kind === 'pod' && podNetwork.nodeAddress;
		assert.equal(nodeAddress, '10.111.249.255');
		const [anywhere, there] = [await freePort(), await freePort()];
		const common = { protocol: 'TCP', containerPort: 8080 } as const;
		const ports = [
			{ ...common, hostPort: anywhere, hostIP: '' },
			{ ...common, hostPort: there, hostIP: nodeAddress },
		];
		const sandbox = await serving.runSandbox(sandboxConfig('a', { ports }));
		const config = containerConfig({ command: listener('a', '0.0.0.0'), logPath: other.logPath('main') });
		const { id } = await serving.createContainer(sandbox.id, config);
		const container = await serving.startContainer(id);
		while (!(await outputOf(other, container)).includes('listens')) await other.passTime(1);
		for (const [host, port] of [
			['127.0.0.1', anywhere],
			[nodeAddress, anywhere],
			[nodeAddress, there],
		] as const)
			assert.equal(await call(serving, host, { port, text: 'x' }), 'a:x');
		await assert.rejects(call(serving, '127.0.0.1', { port: there, text: 'x' }), { code: 'ECONNREFUSED' });
		await other.close();
	});

	test('nothing is left behind, also by a launcher that was killed with its containers', {
		skip: isRoot ? false : AS_ROOT,
	}, async () => {
		await pod('a');
		const [made] = ownBridges();
		assert.ok(made);
		await runtime.stop({ killAll: true });
		await untilNone(() => linkNames().some((name) => name.startsWith(made.name)));
		assert.doesNotMatch(filterRules(), new RegExp(`${made.name}-`));

		const killed = openHost({ podNetwork: 'pod' });
		const doomed = killed.connect();
		await doomed.start();
		const { status } = await start(doomed, killed.script('echo $PPID; exec sleep 1000000'));
		while ((await outputOf(killed, status)) === '') await killed.passTime(1);
		const waiter = Number(await outputOf(killed, status));
		const [left] = ownBridges();
		assert.ok(left);
		await doomed.stop();
		process.kill(killed.launcherPid(), 'SIGKILL');
		process.kill(waiter, 'SIGKILL');
		await untilNone(() => hasPorts(left.name));
		assert.ok(linkNames().includes(left.name));
		const next = openHost({ podNetwork: 'pod' });
		const runtimeAfter = next.connect();
		await runtimeAfter.start();
		await runtimeAfter.runSandbox(sandboxConfig('a'));
		assert.ok(!findBridges().some(({ key }) => key === left.key));
		await next.close();
		await killed.close();
	});
});

test('the reason for the network of the machine is given, and a wish that cannot be met is an error', async () => {
	const facts = { shim: shimFile() ?? '/shim', machine: { level: 'none' } } as const;
	const reason = 'this machine does not isolate containers';
	assert.deepEqual(await choosePodNetwork('auto', facts), { kind: 'host', reason });
	assert.deepEqual(await choosePodNetwork('host', facts), { kind: 'host' });
	await assert.rejects(choosePodNetwork('pod', facts), /--pod-network pod: .*does not isolate containers/);
});

async function untilNone(isThere: () => boolean): Promise<void> {
	while (isThere()) await pause(5);
}

function filterRules(): string {
	try {
		return execFileSync('iptables-save', { encoding: 'utf8', env: { PATH: '/usr/sbin:/sbin:/usr/bin' } });
	} catch {
		return '';
	}
}
