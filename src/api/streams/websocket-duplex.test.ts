import assert from 'node:assert/strict';
import { once } from 'node:events';
import test, { type TestContext } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import type { ChannelProtocol } from './channel-frames.ts';
import { duplexContract, received, text } from './testing/duplex-contract-suite.ts';
import { WebSocketDuplex } from './websocket-duplex.ts';

duplexContract('a session over a WebSocket', async (t) => {
	const { client, server } = await connect(t);
	return {
		client: new WebSocketDuplex(client, { protocol: 'v5.channel.k8s.io', sendsEnds: true }),
		server: new WebSocketDuplex(server, { protocol: 'v5.channel.k8s.io', sendsEnds: false }),
	};
});

test('a connection that is lost fails the session', async (t) => {
	const { client, server } = await connect(t);
	const duplex = new WebSocketDuplex(server, { protocol: 'v5.channel.k8s.io', sendsEnds: false });
	client.terminate();
	assert.deepEqual(await duplex.closed, {
		type: 'failed',
		message: 'the connection was closed with code 1006',
	});
	assert.equal(await duplex.receive(), undefined);
	assert.equal(await duplex.send(text(1, 'a')), false);
});

test('a server sends no end of a channel, and version 4 has none', async (t) => {
	for (const options of [
		{ protocol: 'v5.channel.k8s.io', sendsEnds: false },
		{ protocol: 'v4.channel.k8s.io', sendsEnds: true },
	] as const) {
		const { client, server } = await connect(t);
		const reader = new WebSocketDuplex(client, { protocol: options.protocol, sendsEnds: true });
		const writer = new WebSocketDuplex(server, options);
		await writer.send(text(1, 'a'));
		assert.equal(await writer.send({ type: 'end', channel: 1 }), true);
		writer.close();
		assert.deepEqual(await received(reader), ['1:a']);
	}
});

test('a long reason of a failure is cut to what fits into a close frame', async (t) => {
	const { client, server } = await connect(t);
	const peer = new WebSocketDuplex(client, { protocol: 'v5.channel.k8s.io', sendsEnds: true });
	const own = new WebSocketDuplex(server, { protocol: 'v5.channel.k8s.io', sendsEnds: false });
	own.close({ type: 'failed', message: 'ä'.repeat(100) });
	assert.deepEqual(await peer.closed, { type: 'failed', message: 'ä'.repeat(61) });
});

test('a slow reader is reported until it has read what waited', async (t) => {
	const { client, server } = await connect(t);
	const reports: boolean[] = [];
	const options = { protocol: 'v5.channel.k8s.io' as ChannelProtocol, sendsEnds: false };
	const writer = new WebSocketDuplex(server, { ...options, blocked: (is) => reports.push(is) });
	client.pause();
	const sent = writer.send(text(1, 'x'.repeat(32 * 1024 * 1024)));
	assert.deepEqual(reports, [true]);
	client.resume();
	assert.equal(await sent, true);
	assert.deepEqual(reports, [true, false]);
	writer.close();
});

async function connect(t: TestContext): Promise<{ client: WebSocket; server: WebSocket }> {
	const listener = new WebSocketServer({ port: 0, host: '127.0.0.1' });
	await once(listener, 'listening');
	const address = listener.address();
	assert.ok(typeof address === 'object' && address);
	const client = new WebSocket(`ws://127.0.0.1:${address.port}`);
	const [[server]] = await Promise.all([once(listener, 'connection'), once(client, 'open')]);
	t.after(() => {
		client.terminate();
		listener.close();
	});
	return { client, server };
}
