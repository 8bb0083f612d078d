import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { once } from 'node:events';
import { chownSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { type NetworkInterfaceInfo, networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { attempt } from '../../../../base/attempt.ts';
import { removeTree } from '../../../../base/files/remove-tree.ts';
import { containerConfig, sandboxConfig } from '../../../testing/configs.ts';
import type { ProcessRuntime } from '../../process-runtime.ts';
import { probeMachine } from '../../shim/probe.ts';
import { shimFile } from '../../shim/shim-file.ts';
import {
	exitOf,
	type HostHarness,
	openHost,
	outputOf,
	start,
	untilGone,
} from '../../testing/host-harness.ts';
import { choosePodNetwork } from '../network-choice.ts';

const isRoot = process.geteuid?.() === 0;
const choice = await choosePodNetwork('auto', { shim: shimFile(), machine: await probeMachine(shimFile()) });
const skip = isRoot
	? 'an ordinary user runs it, in a process of its own'
	: choice.kind === 'host' && (choice.reason ?? 'no networks of Pods');

const SERVICES = '10.111.248.0/24';
const SERVICE = '10.111.248.7';

describe('networks of Pods of an ordinary user', { skip }, () => {
	let machine: HostHarness;
	let runtime: ProcessRuntime;
	beforeEach(async () => {
		machine = openHost({ podNetwork: 'pod' });
		runtime = machine.connect({ serviceRange: SERVICES });
		await runtime.start();
	});
	afterEach(() => machine.close());

	/** What a program in a Pod receives from an address. */
	const received = async (host: string, port: number): Promise<string> => {
		const script = `require('net').connect(${port}, ${JSON.stringify(host)})
			.on('data', (chunk) => process.stdout.write(chunk)).on('error', (error) => console.log(error.code))`;
		return await printed([process.execPath, '-e', script]);
	};
	/** What a program in a Pod prints. */
	const printed = async (command: readonly string[]): Promise<string> => {
		const { status } = await start(runtime, containerConfig({ command, logPath: machine.logPath('main') }));
		const output = await outputOf(machine, await exitOf(runtime, status.id));
		await runtime.removeSandbox(status.sandboxId);
		return output.trim();
	};
	const crash = async (): Promise<void> => {
		await machine.crash(runtime);
		while (!(await runtime.listSandboxes().catch(() => undefined))) await machine.passTime(1);
	};

	test('the server listens at the addresses of Services, also after the launcher and the agent were killed', async () => {
		const server = createServer((client) => client.end(client.remoteAddress ?? ''));
		await runtime.podSockets.listen(server, { host: SERVICE, port: 80 });
		const first = await received(SERVICE, 80);
		assert.ok(runtime.podSockets.isPod(first), first);
		assert.equal(await received(SERVICE, 81), 'ECONNREFUSED');
		await crash();
		assert.match(await received(SERVICE, 80), /^10\./);
		for (const { pid } of agents()) process.kill(pid, 'SIGKILL');
		assert.match(await received(SERVICE, 80), /^10\./);
		const other = createServer((client) => client.end('other'));
		await runtime.podSockets.listen(other, { host: SERVICE, port: 82 });
		assert.equal(await received(SERVICE, 82), 'other');
		await assert.rejects(runtime.podSockets.listen(createServer(), { host: SERVICE, port: 82 }), {
			code: 'EADDRINUSE',
		});
		server.close();
		other.close();
	});

	test('the node has no address by which Pods reach this machine', () => {
		assert.deepEqual(runtime.traits.podNetwork, { kind: 'pod' });
	});

	test('datagrams reach the server and come back', async () => {
		const socket = await runtime.podSockets.bind({ host: SERVICE, port: 53 });
		socket.on('message', (message, { address, port }) => socket.send(`${message}!`, port, address));
		const script = `const socket = require('dgram').createSocket('udp4');
			socket.on('message', (text) => { console.log(String(text)); socket.close(); }).send('hello', 53, '${SERVICE}')`;
		assert.equal(await printed([process.execPath, '-e', script]), 'hello!');
		socket.close();
	});

	test('an attempt to connect that is given up ends at once, whatever the Pod does', async () => {
		const { ip } = await runtime.runSandbox(sandboxConfig('given-up'));
		const ended = new AbortController();
		const unused = { host: ip.replace(/\d+\.\d+$/, '254.1'), port: 80 };
		const connecting = runtime.podSockets.connect(unused, ended.signal);
		ended.abort();
		await assert.rejects(connecting, { name: 'AbortError' });
	});

	test('Pods reach other machines as the user does, and of this one only what is open to others', async (t) => {
		const own = ownAddress();
		const everywhere = createServer((client) => client.end('reached'));
		const local = createServer((client) => client.end('reached'));
		everywhere.listen(0, '0.0.0.0');
		local.listen(0, '127.0.0.1');
		t.after(() => [everywhere, local].map((server) => server.close()));
		await Promise.all([everywhere, local].map((server) => server.listening || once(server, 'listening')));
		const port = (server: Server): number => (server.address() as AddressInfo).port;
		const { ip } = await runtime.runSandbox(sandboxConfig('gateway'));
		for (const host of ['127.0.0.1', ip.replace(/\d+\.\d+$/, '0.1')])
			for (const server of [everywhere, local])
				assert.doesNotMatch(await received(host, port(server)), /reached/, host);
		if (!own) return t.skip('this machine has no network');
		assert.equal(await received(own.address, port(everywhere)), 'reached');
		assert.equal(await received(own.address, port(local)), 'ECONNRESET');
		for (const { pid } of agents()) process.kill(pid, 'SIGKILL');
		while ((await received(own.address, port(everywhere))) !== 'reached') await pause(50);
	});

	test('datagrams of Pods reach other machines and their answers come back, of any size', async (t) => {
		const { address: own } = ownAddress() ?? {};
		if (own === undefined) return t.skip('this machine has no network');
		const other = await bound(t);
		other.on('message', (text, { port, address }) => other.send(text, port, address));
		const third = await bound(t);
		const { port } = other.address();
		// Each datagram is sent again until its answer is there: the first ones may be lost while the agent starts.
		const script = `const socket = require('dgram').createSocket('udp4');
			const texts = ['small', 'x'.repeat(1473), 'y'.repeat(9000)];
			const send = () => socket.send(texts[0], ${port}, '${own}');
			const timer = setInterval(send, 200);
			socket.on('message', (text, from) => {
				if (String(text) === 'third') console.log('from a third machine');
				if (String(text) !== texts[0]) return;
				console.log(text.length, from.address === '${own}' && from.port === ${port});
				texts.shift();
				if (texts.length > 0) return send();
				clearInterval(timer);
				socket.close();
			});
			send();`;
		const expected = '5 true\n1473 true\n9000 true';
		const sources = new Set<number>();
		other.on('message', (_, source) => {
			sources.add(source.port);
			third.send('third', source.port, own);
		});
		assert.equal(await printed([process.execPath, '-e', script]), expected);
		assert.equal(sources.size, 1, 'the datagrams of one socket come from one port');
		const [forwarder] = forwarders();
		assert(forwarder !== undefined);
		process.kill(forwarder, 'SIGKILL');
		await untilGone(forwarder);
		assert.equal(await printed([process.execPath, '-e', script]), expected, 'after the forwarder was killed');
	});

	test('the next server and launcher find the Pods of those that were killed, with their network', async () => {
		const script = `require('net').createServer((socket) => socket.end('served')).listen(8080, () => console.log('listens'))`;
		const command = [process.execPath, '-e', script];
		const before = await runtime.runSandbox(sandboxConfig('server'));
		const config = containerConfig({ command, logPath: machine.logPath('server') });
		const status = await runtime.startContainer((await runtime.createContainer(before.id, config)).id);
		while (!(await outputOf(machine, status)).includes('listens')) await machine.passTime(1);
		const [agent] = agents();
		await runtime.stop();
		process.kill(machine.launcherPid(), 'SIGKILL');
		while (agents().length > 0) await pause(5);
		runtime = machine.connect({ serviceRange: SERVICES });
		await runtime.start();
		const [after] = await runtime.listSandboxes();
		assert.equal(after?.ip, before.ip);
		assert.equal(agents()[0]?.network, agent?.network);
		assert.equal(await received(before.ip, 8080), 'served', 'from another Pod');
		const socket = await runtime.podSockets.connect({ host: before.ip, port: 8080 });
		assert.equal(String(await once(socket, 'data')), 'served');
		socket.destroy();
	});

	test('what forwards datagrams ends with the agent', async () => {
		const [before] = forwarders();
		assert(before !== undefined);
		for (const { pid } of agents()) process.kill(pid, 'SIGKILL');
		await untilGone(before);
		while (forwarders().length === 0) await pause(5);
		const [after] = forwarders();
		assert(after !== undefined);
		await runtime.stop();
		await untilGone(after);
	});

	test('nothing is left once server, launcher and Pods are killed', async () => {
		const { status } = await start(runtime, machine.script('echo $PPID; exec sleep 1000000'));
		while ((await outputOf(machine, status)) === '') await machine.passTime(1);
		const waiter = Number(await outputOf(machine, status));
		const [agent] = agents();
		assert.ok(agent);
		assert.ok(holders(agent.network).size >= 3, 'the launcher, the waiter and this process');
		await runtime.stop();
		process.kill(machine.launcherPid(), 'SIGKILL');
		while (agents().length > 0) await pause(5);
		assert.deepEqual([...holders(agent.network)], [waiter], 'the Pod keeps the bridge of its network');
		process.kill(waiter, 'SIGKILL');
		while (holders(agent.network).size > 0) await pause(5);
	});
});

/** An address of this machine that is not for itself alone: it takes the place of one of another machine. */
function ownAddress(): NetworkInterfaceInfo | undefined {
	return Object.values(networkInterfaces())
		.flat()
		.find((each) => each?.family === 'IPv4' && !each.internal);
}

/** A socket for datagrams at all addresses. */
async function bound(t: TestContext): Promise<Datagrams> {
	const socket = createSocket('udp4');
	t.after(() => socket.close());
	socket.bind(0, '0.0.0.0');
	await once(socket, 'listening');
	return socket;
}

/** The network agents of this process, with the network namespace of each. */
function agents(): readonly { readonly pid: number; readonly network: number }[] {
	const own = statSync('/proc/self/ns/net').ino;
	return processes().flatMap((pid) => {
		if (parentOf(pid) !== process.pid) return [];
		const network = attempt(() => statSync(`/proc/${pid}/ns/net`).ino) ?? own;
		return network === own ? [] : [{ pid, network }];
	});
}

/** The processes that forward datagrams for the agents of this process. */
function forwarders(): readonly number[] {
	const starters = agents().map(({ pid }) => pid);
	return processes().filter((pid) => starters.includes(parentOf(pid)));
}

/** The processes that are in a network namespace or have a descriptor of it. */
function holders(network: number): ReadonlySet<number> {
	const holds = (pid: number): boolean => {
		const inside = attempt(() => statSync(`/proc/${pid}/ns/net`).ino) === network;
		const names = attempt(() => readdirSync(`/proc/${pid}/fd`)) ?? [];
		return (
			inside ||
			names.some((name) => attempt(() => readlinkSync(`/proc/${pid}/fd/${name}`)) === `net:[${network}]`)
		);
	};
	return new Set(processes().filter(holds));
}

function processes(): readonly number[] {
	return readdirSync('/proc')
		.filter((name) => /^\d+$/.test(name))
		.map(Number);
}

function parentOf(pid: number): number {
	const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? '';
	return Number(
		stat
			.slice(stat.lastIndexOf(')') + 1)
			.trim()
			.split(' ')[1],
	);
}

const UNPRIVILEGED_ID = 65_534;
const FILES = ['./node-network.test.ts', '../pod-networks.test.ts'];

test('an ordinary user has networks of Pods', {
	skip: isRoot ? choice.kind === 'host' && (choice.reason ?? 'no networks of Pods') : 'needs root',
}, async (t) => {
	const folder = mkdtempSync(join(tmpdir(), 'stint-user-'));
	t.after(() => removeTree(folder));
	chownSync(folder, UNPRIVILEGED_ID, UNPRIVILEGED_ID);
	const user = [`--reuid=${UNPRIVILEGED_ID}`, `--regid=${UNPRIVILEGED_ID}`, '--clear-groups', '--'];
	const files = FILES.map((file) => fileURLToPath(new URL(file, import.meta.url)));
	const { NODE_TEST_CONTEXT: _, ...env } = process.env;
	const { stdout } = await promisify(execFile)(
		'setpriv',
		[...user, process.execPath, '--disable-warning=ExperimentalWarning', '--test', ...files],
		{ env: { ...env, HOME: folder, TMPDIR: folder } },
	).catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? String(error) }));
	assert.match(stdout, /^ℹ pass 1[0-9]$/m, stdout);
	assert.match(stdout, /^ℹ fail 0$/m, stdout);
});
