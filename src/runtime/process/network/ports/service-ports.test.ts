import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { type TestContext, test } from 'node:test';
import { SystemClock } from '../../../base/clock.ts';
import { shimFile } from '../shim/shim-file.ts';
import { untilGone } from '../testing/host-harness.ts';
import { ServicePorts } from './service-ports.ts';

const SERVICE = '127.77.0.9';
const RANGE = '127.77.0.0/16';

const skip =
	process.getuid?.() === 0 && process.platform === 'linux' ? false : 'only root chooses among sockets';

/** A server that greets with its name, and closes the connection. */
function greeter(t: TestContext, name: string): Server {
	const server = createServer((socket) => socket.end(name));
	t.after(() => server.close());
	return server;
}

/** A program of the machine that listens at all addresses; returns its port. */
async function program(t: TestContext): Promise<number> {
	const server = greeter(t, 'program').listen(0, '0.0.0.0');
	await once(server, 'listening');
	return (server.address() as AddressInfo).port;
}

function ports(t: TestContext, shim = shimFile() ?? ''): ServicePorts {
	const clock = new SystemClock();
	const sockets = new ServicePorts({
		shim,
		serviceRange: RANGE,
		clock,
		onError: (error) => assert.fail(String(error)),
	});
	t.after(() => sockets.stop());
	return sockets;
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

test('a Service gets the connections to its port, and a program those to the same port of all other addresses', {
	skip,
}, async (t) => {
	const port = await program(t);
	const sockets = ports(t);
	const [one, two] = [greeter(t, 'one'), greeter(t, 'two')];
	await sockets.listen(one, { host: SERVICE, port });
	await sockets.listen(two, { host: '127.77.0.10', port });
	assert.equal(await greetingAt(SERVICE, port), 'one');
	assert.equal(await greetingAt('127.77.0.10', port), 'two');
	assert.equal(await greetingAt('127.0.0.1', port), 'program');
	assert.equal(await greetingAt('127.77.0.11', port), 'program');
	one.close();
	await once(one, 'close');
	assert.equal(await greetingAt(SERVICE, port), 'program', 'the port of the Service is closed');
	// A later Service with the same address.
	const three = greeter(t, 'three');
	await sockets.listen(three, { host: SERVICE, port });
	assert.equal(await greetingAt(SERVICE, port), 'three');
});

test('a program may begin to listen at the port of a Service', { skip }, async (t) => {
	const sockets = ports(t);
	const free = greeter(t, '').listen(0, '0.0.0.0');
	await once(free, 'listening');
	const { port } = free.address() as AddressInfo;
	free.close();
	await once(free, 'close');
	await sockets.listen(greeter(t, 'service'), { host: SERVICE, port });
	const late = greeter(t, 'program').listen(port, '0.0.0.0');
	await once(late, 'listening');
	assert.equal(await greetingAt(SERVICE, port), 'service');
	assert.equal(await greetingAt('127.0.0.1', port), 'program');
});

test('a process that was killed is started again for all sockets that listen', { skip }, async (t) => {
	const port = await program(t);
	const sockets = ports(t);
	await sockets.listen(greeter(t, 'service'), { host: SERVICE, port });
	const [child] = childrenWith('ports');
	assert(child !== undefined);
	process.kill(child, 'SIGKILL');
	await untilGone(child);
	while ((await greetingAt(SERVICE, port)) !== 'service');
});

test('where the kernel refuses, a socket listens at the port itself', async (t) => {
	const sockets = ports(t, '/bin/false');
	const server = greeter(t, 'service');
	await sockets.listen(server, { host: SERVICE, port: 0 });
	const { port } = server.address() as AddressInfo;
	assert.equal(await greetingAt(SERVICE, port), 'service');
});

/** The pids of this process's children with this argument. */
function childrenWith(argument: string): readonly number[] {
	return readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1')
		.trim()
		.split(' ')
		.map(Number)
		.filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').includes(argument));
}
