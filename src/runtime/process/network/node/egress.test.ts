import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import test, { type TestContext } from 'node:test';
import { SystemClock } from '../../../../base/clock.ts';
import { HOST_SOCKETS, type SocketAddress } from '../../../pod-sockets.ts';
import { Egress } from './egress.ts';

/** An address of this machine that is not for itself alone: it takes the place of one of another machine. */
const [own] = Object.values(networkInterfaces())
	.flat()
	.filter((each) => each?.family === 'IPv4' && !each.internal);

/** Serves the connections to a socket at `host`; returns its port, and the addresses to which connections were made. */
async function serve(
	t: TestContext,
	host: string,
	inside: readonly string[] = [],
): Promise<{ readonly port: number; readonly targets: readonly SocketAddress[] }> {
	const targets: SocketAddress[] = [];
	const other = createServer({ allowHalfOpen: true }, (client) => {
		client.write('hello ');
		client.once('data', (text: Buffer) => client.end(text));
	});
	other.listen(0, '127.0.0.1');
	await once(other, 'listening');
	const egress = new Egress({
		clock: new SystemClock(),
		inside,
		connect: (to, signal) => {
			targets.push(to);
			const { port } = other.address() as AddressInfo;
			return HOST_SOCKETS.connect({ host: '127.0.0.1', port }, signal);
		},
	});
	const socket = createServer();
	socket.listen(0, host);
	await once(socket, 'listening');
	const { port } = socket.address() as AddressInfo;
	egress.serve(socket);
	t.after(() => {
		egress.close();
		other.close();
	});
	return { port, targets };
}

/** What is received; ECONNRESET if the connection is refused. */
async function received(host: string, port: number): Promise<string> {
	const socket = connect({ host, port });
	socket.end('world');
	try {
		let text = '';
		for await (const chunk of socket) text += String(chunk);
		return text;
	} catch (error) {
		return String(Object(error).code);
	}
}

test('a connection is made to the address that the Pod has asked for', {
	skip: own ? false : 'this machine has no network',
}, async (t) => {
	const { address: host = '' } = own ?? {};
	const { port, targets } = await serve(t, host);
	assert.equal(await received(host, port), 'hello world');
	assert.deepEqual(targets, [{ host, port }]);
	const inside = await serve(t, host, [`${host}/32`]);
	assert.equal(await received(host, inside.port), 'ECONNRESET');
	assert.deepEqual(inside.targets, [], 'an address of Pods');
});

test('no connection is made to the loopback addresses of this machine', async (t) => {
	for (const host of ['127.0.0.1', '127.9.9.9']) {
		const { port, targets } = await serve(t, host);
		assert.equal(await received(host, port), 'ECONNRESET');
		assert.deepEqual(targets, []);
	}
});
