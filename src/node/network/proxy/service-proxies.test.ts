import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import test, { type TestContext } from 'node:test';
import { SystemClock } from '../../../base/clock.ts';
import { SystemRandom } from '../../../base/random.ts';
import { freePort } from '../../../base/testing/free-port.ts';
import type { ProxiedPort, ServiceTarget } from '../../../plan/service-proxy/proxied-port.ts';
import { HOST_SOCKETS, type PodSockets } from '../../../runtime/pod-sockets.ts';
import { ServiceProxies } from './service-proxies.ts';

/** A server that sends its name to each client, then returns what it receives. */
async function echoNamed(
	t: TestContext,
	name: string,
): Promise<{ target: ServiceTarget; server: Server; sockets: Set<Socket> }> {
	const sockets = new Set<Socket>();
	const server = createServer({ allowHalfOpen: true }, (socket) => {
		sockets.add(socket);
		socket.on('error', () => {});
		socket.write(`${name}\n`);
		socket.pipe(socket);
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.after(() => {
		for (const socket of sockets) socket.destroy();
		server.close();
	});
	return { target: { address: '127.0.0.1', port: (server.address() as AddressInfo).port }, server, sockets };
}

interface Proxied {
	readonly proxies: ServiceProxies;
	readonly refused: string[];
	readonly port: (targets: readonly ServiceTarget[], more?: Partial<ProxiedPort>) => ProxiedPort;
}

async function proxied(
	t: TestContext,
	serves: (address: string) => boolean = () => true,
	sockets: PodSockets = HOST_SOCKETS,
): Promise<Proxied> {
	const refused: string[] = [];
	const proxies = new ServiceProxies({
		clock: new SystemClock(),
		random: new SystemRandom(),
		mostConnections: 50,
		serves,
		sockets,
		onRefused: (port, error) => void refused.push(`${port.port} ${error.message}`),
	});
	t.after(() => proxies.close());
	const port = await freePort();
	return {
		proxies,
		refused,
		port: (targets, more = {}) => ({
			service: 'ns/s',
			address: '127.77.0.1',
			port,
			protocol: 'TCP',
			targets,
			...more,
		}),
	};
}

/** All that the port answers to `text`, after which this side ends; an error's code if the connection fails. */
async function ask({ address, port }: ProxiedPort, text: string): Promise<string> {
	const socket = connect({ host: address, port, allowHalfOpen: true });
	let answer = '';
	socket.setEncoding('utf8').on('data', (chunk) => {
		answer += chunk;
	});
	socket.end(text);
	try {
		await once(socket, 'end');
		return answer;
	} catch (error) {
		return error instanceof Error && 'code' in error ? String(error.code) : String(error);
	} finally {
		socket.destroy();
	}
}

test('connections are distributed among the targets, and each direction ends by itself', async (t) => {
	const { proxies, port } = await proxied(t);
	const [a, b] = [await echoNamed(t, 'a'), await echoNamed(t, 'b')];
	const both = port([a.target, b.target]);
	await proxies.set([both]);
	const answers = await Promise.all(Array.from({ length: 40 }, (_, index) => ask(both, `${index}`)));
	assert.deepEqual(
		answers.map((answer) => answer.split('\n')[1]),
		Array.from({ length: 40 }, (_, index) => `${index}`),
	);
	const names = new Set(answers.map((answer) => answer.split('\n')[0]));
	assert.deepEqual([...names].sort(), ['a', 'b']);
});

test('with affinity, a client stays with its target as long as there is one', async (t) => {
	const { proxies, port } = await proxied(t);
	const servers = [await echoNamed(t, 'a'), await echoNamed(t, 'b'), await echoNamed(t, 'c')];
	const sticky = port(
		servers.map(({ target }) => target),
		{ affinitySeconds: 60 },
	);
	await proxies.set([sticky]);
	const first = await ask(sticky, '');
	for (let time = 0; time < 10; time++) assert.equal(await ask(sticky, ''), first);
	const others = servers.filter((_, index) => `${'abc'[index]}\n` !== first).map(({ target }) => target);
	await proxies.set([{ ...sticky, targets: others }]);
	assert.notEqual(await ask(sticky, ''), first);
});

test('a target that refuses is passed over, and without targets the connection is refused', async (t) => {
	const { proxies, port } = await proxied(t);
	const { target } = await echoNamed(t, 'a');
	const gone = { address: '127.0.0.1', port: await freePort() };
	const mixed = port([gone, target, gone]);
	await proxies.set([mixed]);
	for (let time = 0; time < 10; time++) assert.equal(await ask(mixed, 'x'), 'a\nx');
	await proxies.set([{ ...mixed, targets: [gone] }]);
	assert.match(await ask(mixed, 'x'), /^(ECONNRESET|EPIPE)$/);
	await proxies.set([{ ...mixed, targets: [] }]);
	assert.equal(await ask(mixed, 'x'), 'ECONNREFUSED');
});

test('a connection stays with its target when the port changes or is removed', async (t) => {
	const { proxies, port } = await proxied(t);
	const [a, b] = [await echoNamed(t, 'a'), await echoNamed(t, 'b')];
	await proxies.set([port([a.target])]);
	const socket = connect({ host: '127.77.0.1', port: port([]).port });
	const [greeting] = await once(socket.setEncoding('utf8'), 'data');
	assert.equal(greeting, 'a\n');
	await proxies.set([port([b.target])]);
	socket.write('1');
	assert.deepEqual(await once(socket, 'data'), ['1']);
	await proxies.set([]);
	socket.write('2');
	assert.deepEqual(await once(socket, 'data'), ['2']);
	for (const each of a.sockets) each.resetAndDestroy();
	await assert.rejects(once(socket, 'end'), { code: 'ECONNRESET' });
});

test('a port that is taken is reported once', async (t) => {
	const { proxies, port, refused } = await proxied(t);
	const { target } = await echoNamed(t, 'a');
	const taken = port([target]);
	const other = createServer().listen(taken.port, taken.address);
	await once(other, 'listening');
	t.after(() => other.close());
	await proxies.set([taken]);
	await proxies.set([taken]);
	assert.deepEqual(refused, [
		`${taken.port} listen EADDRINUSE: address already in use 127.77.0.1:${taken.port}`,
	]);
});

test('datagrams reach a target, and its answers their sender', async (t) => {
	const { proxies, port } = await proxied(t);
	const server = createSocket('udp4');
	server.on('message', (message, from) => server.send(`re: ${message}`, from.port, from.address));
	server.bind(0, '127.0.0.1');
	await once(server, 'listening');
	t.after(() => server.close());
	const udp = port([{ address: '127.0.0.1', port: server.address().port }], { protocol: 'UDP' });
	await proxies.set([udp]);
	const clients = Array.from({ length: 3 }, () => createSocket('udp4'));
	t.after(() => {
		for (const client of clients) client.close();
	});
	for (const [index, client] of clients.entries()) {
		const answer = once(client, 'message');
		client.send(`${index}`, udp.port, udp.address);
		assert.equal(String((await answer)[0]), `re: ${index}`);
	}
});

test('connections beyond the limit are reset, and those within it continue', async (t) => {
	const { proxies, port } = await proxied(t);
	const { target } = await echoNamed(t, 'a');
	const one = port([target]);
	await proxies.set([one]);
	const open = Array.from({ length: 50 }, () => connect({ host: one.address, port: one.port }));
	await Promise.all(open.map((socket) => once(socket, 'data')));
	assert.match(await ask(one, 'x'), /^(ECONNRESET|EPIPE)$/);
	for (const socket of open) socket.end('x');
	assert.deepEqual(
		(await Promise.all(open.map((socket) => once(socket, 'data')))).map(String),
		Array(50).fill('x'),
	);
	await Promise.all(open.map((socket) => once(socket, 'close')));
	assert.equal(await ask(one, 'x'), 'a\nx');
});

test('a client that is not one of this machine is not served, by TCP or UDP', async (t) => {
	const clients: string[] = [];
	const { proxies, port } = await proxied(t, (address) => {
		clients.push(address);
		return false;
	});
	const { target } = await echoNamed(t, 'a');
	const target4 = createSocket('udp4').on('message', () => assert.fail('forwarded'));
	target4.bind(0, '127.0.0.1');
	await once(target4, 'listening');
	t.after(() => void target4.close());
	const tcp = port([target]);
	const udp = port([{ address: '127.0.0.1', port: target4.address().port }], { protocol: 'UDP' });
	await proxies.set([tcp, udp]);
	assert.match(await ask(tcp, 'x'), /^(ECONNRESET|EPIPE)$/);
	const client = createSocket('udp4');
	t.after(() => void client.close());
	client.send('x', udp.port, udp.address);
	while (clients.length < 2) await new Promise((resolve) => setImmediate(resolve));
	assert.equal(clients.length, 2);
});

test('connections to a TCP port without targets are refused by the sockets, until it has some or is gone', async (t) => {
	const calls: string[] = [];
	const refuse: PodSockets['refuse'] = ({ host }) => {
		calls.push(`refuse ${host}`);
		return () => void calls.push(`pass ${host}`);
	};
	const { proxies, port } = await proxied(
		t,
		undefined,
		Object.assign(Object.create(HOST_SOCKETS), { refuse }),
	);
	const { target } = await echoNamed(t, 'one');
	const idle = port([], { service: 'ns/idle', address: '127.77.0.2' });
	await proxies.set([port([]), idle, port([], { protocol: 'UDP' })]);
	await proxies.set([port([]), idle]);
	assert.deepEqual(calls.splice(0), ['refuse 127.77.0.1', 'refuse 127.77.0.2']);
	await proxies.set([port([target]), idle]);
	assert.deepEqual(calls.splice(0), [], 'the port that is opened ends it by itself');
	await proxies.set([port([])]);
	assert.deepEqual(calls.sort(), ['pass 127.77.0.2', 'refuse 127.77.0.1']);
});
