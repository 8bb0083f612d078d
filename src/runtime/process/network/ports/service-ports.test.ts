import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { SystemClock } from '../../../../base/clock.ts';
import { temporaryFolder } from '../../../../base/testing/temporary-folder.ts';
import { shimFile } from '../../shim/shim-file.ts';
import { untilGone } from '../../testing/host-harness.ts';
import { ServicePorts } from './service-ports.ts';

const SERVICE = '127.77.0.9';
const OTHER = '127.77.0.10';
const NODE = '127.77.255.255';

const isRoot = process.getuid?.() === 0 && process.platform === 'linux';
const skip = isRoot ? false : 'only root chooses among sockets';

/** A server that greets with its name, and closes the connection unless it `holds` it. */
function greeter(t: TestContext, name: string, holds = false): Server {
	const server = createServer((socket) => (holds ? socket.write(name) : socket.end(name)));
	t.after(() => server.close());
	return server;
}

/** A program of the machine that listens at a port of all addresses; returns the port. */
async function program(t: TestContext, { host = '0.0.0.0', port = 0 } = {}): Promise<number> {
	const server = greeter(t, 'program').listen(port, host);
	await once(server, 'listening');
	return (server.address() as AddressInfo).port;
}

/** A port at which nothing listens now. */
async function freePort(): Promise<number> {
	const server = createServer().listen(0, '0.0.0.0');
	await once(server, 'listening');
	const { port } = server.address() as AddressInfo;
	server.close();
	await once(server, 'close');
	return port;
}

function opened(t: TestContext, shim = shimFile() ?? ''): { sockets: ServicePorts; errors: string[] } {
	const errors: string[] = [];
	const onError = (error: unknown): void => void errors.push(String(error));
	const sockets = new ServicePorts({ shim, direct: [NODE], clock: new SystemClock(), onError });
	t.after(() => sockets.stop());
	return { sockets, errors };
}

async function greetingAt(host: string, port: number): Promise<string> {
	let text = '';
	try {
		for await (const chunk of connect({ host, port })) text += String(chunk);
		return text;
	} catch (error) {
		return String(Object(error).code);
	}
}

/** A connection that stays open. */
async function held(t: TestContext, host: string, port: number): Promise<Socket> {
	const socket = connect({ host, port });
	t.after(() => socket.destroy());
	await once(socket, 'data');
	return socket;
}

/** Kills the process that chooses, and waits until another one runs. */
async function killLookup(): Promise<void> {
	const [child] = lookups();
	assert(child !== undefined);
	process.kill(child, 'SIGKILL');
	await untilGone(child);
	while (lookups().length === 0) await new Promise(setImmediate);
}

/** The pids of this process's children that choose. */
function lookups(): readonly number[] {
	return readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1')
		.split(' ')
		.filter((pid) => pid !== '')
		.map(Number)
		.filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').includes('ports'));
}

test('a Service gets the connections to its port, and a program those to the same port of all other addresses', {
	skip,
}, async (t) => {
	const port = await program(t, { host: '::' });
	const { sockets } = opened(t);
	const [one, two] = [greeter(t, 'one'), greeter(t, 'two')];
	await sockets.listen(one, { host: SERVICE, port });
	await sockets.listen(two, { host: OTHER, port });
	assert.equal(await greetingAt(SERVICE, port), 'one');
	assert.equal(await greetingAt(OTHER, port), 'two');
	assert.equal(await greetingAt('127.0.0.1', port), 'program');
	assert.equal(await greetingAt('127.77.0.11', port), 'program');
	const hidden = (one.address() as AddressInfo).port;
	assert.ok(hidden > 65_400, String(hidden));
	assert.equal(await greetingAt(SERVICE, hidden), 'ECONNREFUSED', 'no port of the Service');
	one.close();
	await once(one, 'close');
	assert.equal(await greetingAt(SERVICE, port), 'program', 'the port of the Service is closed');
	// A later Service with the same address.
	await sockets.listen(greeter(t, 'three'), { host: SERVICE, port });
	assert.equal(await greetingAt(SERVICE, port), 'three');
});

test('a program may begin to listen at the port of a Service', { skip }, async (t) => {
	const { sockets } = opened(t);
	const port = await freePort();
	await sockets.listen(greeter(t, 'service'), { host: SERVICE, port });
	await program(t, { port });
	assert.equal(await greetingAt(SERVICE, port), 'service');
	assert.equal(await greetingAt('127.0.0.1', port), 'program');
});

test('a port without a socket is refused also where a program listens, until it has one or may be passed', {
	skip,
}, async (t) => {
	const port = await program(t);
	const { sockets } = opened(t);
	const [at, other] = [
		{ host: SERVICE, port },
		{ host: OTHER, port },
	];
	const passes = [at, other].map((each) => sockets.refuse(each));
	for (const { host } of [at, other]) while ((await greetingAt(host, port)) !== 'ECONNREFUSED');
	await sockets.listen(greeter(t, 'service'), at);
	assert.equal(await greetingAt(SERVICE, port), 'service');
	await killLookup();
	while ((await greetingAt(OTHER, port)) !== 'ECONNREFUSED');
	for (const pass of passes) pass();
	while ((await greetingAt(OTHER, port)) !== 'program');
	assert.equal(await greetingAt(SERVICE, port), 'service');
});

test('of two sockets for one port, the first has it, and so has a program that listens at that very address', {
	skip,
}, async (t) => {
	const { sockets } = opened(t);
	const port = await freePort();
	await sockets.listen(greeter(t, 'first'), { host: SERVICE, port });
	const again = sockets.listen(greeter(t, 'second'), { host: SERVICE, port });
	await assert.rejects(again, { code: 'EADDRINUSE' });
	assert.equal(await greetingAt(SERVICE, port), 'first');
	const { sockets: ofOther } = opened(t);
	await assert.rejects(ofOther.listen(greeter(t, 'third'), { host: SERVICE, port }), { code: 'EADDRINUSE' });
	const taken = await program(t, { host: OTHER });
	sockets.refuse({ host: OTHER, port: taken });
	await assert.rejects(sockets.listen(greeter(t, 'x'), { host: OTHER, port: taken }), { code: 'EADDRINUSE' });
	while ((await greetingAt(OTHER, taken)) !== 'program');
});

test('at addresses of the node, sockets listen at the port itself', { skip }, async (t) => {
	const { sockets } = opened(t);
	const server = greeter(t, 'node');
	const port = await freePort();
	await sockets.listen(server, { host: NODE, port });
	assert.equal((server.address() as AddressInfo).port, port);
	assert.deepEqual(lookups(), []);
});

test('a process that was killed is started again for all sockets that listen, whatever has closed', {
	skip,
}, async (t) => {
	const port = await program(t);
	const { sockets, errors } = opened(t);
	const gone = greeter(t, 'gone', true);
	await sockets.listen(gone, { host: '127.77.0.1', port });
	await held(t, '127.77.0.1', port);
	const servers = Array.from({ length: 20 }, (_, index) => ({
		server: greeter(t, `service ${index}`),
		host: `127.77.1.${index + 1}`,
	}));
	for (const { server, host } of servers) await sockets.listen(server, { host, port });
	// It waits for its connection.
	gone.close();
	await killLookup();
	servers[0]?.server.close();
	for (const [index, { host }] of servers.entries()) {
		const expected = index === 0 ? 'program' : `service ${index}`;
		while ((await greetingAt(host, port)) !== expected);
	}
	assert.deepEqual(errors, []);
});

test('where the kernel refuses, a socket listens at the port itself', async (t) => {
	const refusing = script(t, 'echo "1 program"');
	const port = await freePort();
	const { sockets } = opened(t, refusing);
	const server = greeter(t, 'service');
	await sockets.listen(server, { host: SERVICE, port });
	assert.equal(await greetingAt(SERVICE, port), 'service');
	assert.equal(await greetingAt(OTHER, port), 'ECONNREFUSED');
});

test('a socket that the kernel gives no port listens at the port itself', async (t) => {
	const { sockets } = opened(t, script(t, 'echo ok; while read line; do echo "1 socket"; done'));
	const port = await freePort();
	await sockets.listen(greeter(t, 'service'), { host: SERVICE, port });
	assert.equal(await greetingAt(SERVICE, port), 'service');
});

test('if the process cannot be started again, sockets listen at the ports themselves', {
	skip,
}, async (t) => {
	const file = script(t, `exec '${shimFile()}' "$@"`);
	const { sockets, errors } = opened(t, file);
	const port = await freePort();
	await sockets.listen(greeter(t, 'service'), { host: SERVICE, port });
	writeFileSync(file, '#!/bin/sh\necho "1 program"');
	const [child] = lookups();
	assert(child !== undefined);
	process.kill(child, 'SIGKILL');
	await untilGone(child);
	while ((await greetingAt(SERVICE, port)) !== 'service');
	assert.deepEqual(errors, []);
});

test('a shim that is not there is no reason to fail', async (t) => {
	const { sockets } = opened(t, '/no/shim');
	const port = await freePort();
	await sockets.listen(greeter(t, 'service'), { host: SERVICE, port });
	assert.equal(await greetingAt(SERVICE, port), 'service');
});

/** The path of a program for the shell. */
function script(t: TestContext, text: string): string {
	const path = join(temporaryFolder(t), 'shim');
	writeFileSync(path, `#!/bin/sh\n${text}\n`);
	chmodSync(path, 0o700);
	return path;
}
