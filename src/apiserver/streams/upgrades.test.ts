import assert from 'node:assert/strict';
import { once } from 'node:events';
import { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import type { Duplex } from '../../api/contract/duplex.ts';
import type { NodeApi } from '../../api/contract/node-api.ts';
import { duplexPair } from '../../api/streams/duplex-pair.ts';
import { VirtualClock } from '../../base/testing/virtual-clock.ts';
import type { HttpListener } from '../http/listener.ts';
import { ECHO_NODE } from '../testing/echo-node.ts';
import { bindPod, execContract, outputOf, typed } from '../testing/exec-contract-suite.ts';
import {
	duplexOf,
	jsonOf,
	listenTo,
	type Sent,
	type SentUpgrade,
	send,
	transportTo,
	upgrade,
} from '../testing/https-test-client.ts';
import { openTestServer, PODS, type TestServer } from '../testing/server-contract-suite.ts';

import { isUpgradeTarget } from './upgrades.ts';

const PATH = `${PODS}/p/exec?command=cat&stdin=1&stdout=1&stderr=1`;

execContract('exec over HTTPS', async (opened) => {
	const listener = await listenTo(opened);
	return { transport: transportTo(listener), close: () => listener.close() };
});

/** Runs `act` with a listener whose node agent gives the other ends of its sessions to the test. */
async function withListener(
	act: (listener: HttpListener, ends: readonly Duplex[], opened: TestServer) => Promise<void>,
	clock?: VirtualClock,
): Promise<void> {
	const ends: Duplex[] = [];
	const nodeApi: NodeApi = {
		...ECHO_NODE,
		exec: async () => {
			const [caller, own] = duplexPair();
			ends.push(own);
			return caller;
		},
	};
	const opened = await openTestServer({ nodeApi });
	await bindPod(opened);
	const listener = await listenTo(opened, clock && { clock });
	await act(listener, ends, opened);
	await listener.close();
	opened.server.close();
	assert.deepEqual(opened.faults, []);
}

async function open(listener: HttpListener, sent?: SentUpgrade): Promise<WebSocket> {
	const webSocket = await upgrade(listener, PATH, sent);
	assert.ok(webSocket instanceof WebSocket, 'the server has refused the upgrade');
	webSocket.resume();
	return webSocket;
}

test('a request without a valid handshake is refused with a Status before a command starts', async () => {
	await withListener(async (listener, ends) => {
		const refusedUpgrade = async (path: string, sent: SentUpgrade): Promise<string> => {
			const response = await upgrade(listener, path, sent);
			assert.ok(response instanceof IncomingMessage);
			assert.equal(response.headers['content-type'], 'application/json');
			const { code, message } = await jsonOf(response);
			assert.equal(response.statusCode, code);
			return `${code} ${message}`;
		};
		assert.equal(await refusedUpgrade(PATH, { token: null }), '401 Unauthorized');
		const page = { origin: 'https://example.com' };
		assert.match(await refusedUpgrade(PATH, { token: null, headers: page }), /^403 .*web page/);
		assert.match(await refusedUpgrade(PATH, { headers: { host: 'example.com' } }), /^403 .*Host header/);
		assert.equal(
			await refusedUpgrade(PATH, { protocols: ['v1.channel.k8s.io'] }),
			'400 unable to upgrade: the sub-protocol must be one of v5.channel.k8s.io, v4.channel.k8s.io, v4.base64.channel.k8s.io, channel.k8s.io, base64.channel.k8s.io',
		);
		assert.equal(await refusedUpgrade(`${PODS}/q/exec?command=ls&stdout=1`, {}), '404 pods "q" not found');
		const refused = async (method: string, sent: Sent = {}): Promise<string> => {
			const { code, message } = await jsonOf(await send(listener, method, PATH, sent));
			return `${code} ${message}`;
		};
		for (const method of ['GET', 'POST']) assert.equal(await refused(method), '400 Upgrade request required');
		const spdy = { connection: 'Upgrade', upgrade: 'SPDY/3.1' };
		const needed = '400 unable to upgrade: X-Stream-Protocol-Version is required';
		assert.equal(await refused('POST', { headers: spdy }), needed);
		const old = { ...spdy, 'x-stream-protocol-version': 'v2.channel.k8s.io, channel.k8s.io' };
		assert.equal(
			await refused('POST', { headers: old }),
			'403 forbidden: unable to upgrade: unable to negotiate protocol: client supports [v2.channel.k8s.io channel.k8s.io], server accepts [v4.channel.k8s.io]',
		);
		assert.match(await refused('PUT', { headers: spdy }), /^405 /);
		const other = { connection: 'Upgrade', upgrade: 'h2c' };
		assert.match(await refused('POST', { headers: other }), /^400 .*must be SPDY\/3.1 or websocket/);
		const webSocket = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
		assert.match(await refused('GET', { headers: webSocket }), /^400 .*Sec-WebSocket-Key/);
		const keyed = { ...webSocket, 'sec-websocket-key': `${'A'.repeat(22)}==` };
		const valid = 'v5.channel.k8s.io';
		for (const names of [`${valid}, ${valid}`, `${valid},`, `,${valid}`, `${valid}, a b`]) {
			assert.equal(
				await refused('GET', { headers: { ...keyed, 'sec-websocket-protocol': names } }),
				'400 unable to upgrade: the header Sec-WebSocket-Protocol is invalid',
			);
		}
		assert.deepEqual(ends, []);
	});
});

test('other paths ignore the header Upgrade', async () => {
	await withListener(async (listener) => {
		const headers = { connection: 'Upgrade', upgrade: 'websocket' };
		for (const path of ['/readyz', PODS]) {
			const response = await send(listener, 'GET', path, { headers });
			assert.equal(response.statusCode, 200);
			response.resume();
		}
	});
	assert.deepEqual(
		[`${PODS}/p/exec`, `${PODS}/exec`, '/exec', `${PODS}/p/exec/x`, `${PODS}/%/exec`].map((url) =>
			isUpgradeTarget({ url, headers: {} }),
		),
		[true, false, false, false, false],
	);
	const log = `${PODS}/p/log?follow=true`;
	assert.equal(isUpgradeTarget({ url: log, headers: { upgrade: 'h2c' } }), false);
	assert.equal(isUpgradeTarget({ url: log, headers: { upgrade: 'WebSocket' } }), true);
});

test('the first message is empty; version 4 has no end of a channel', async () => {
	await withListener(async (listener, ends) => {
		const webSocket = await open(listener, { protocols: ['v4.channel.k8s.io', 'v5.channel.k8s.io'] });
		assert.equal(webSocket.protocol, 'v4.channel.k8s.io');
		const [first] = await once(webSocket, 'message');
		assert.deepEqual([...first], [1]);
		webSocket.send(Uint8Array.of(255, 0));
		webSocket.send(Uint8Array.of(0, 65));
		assert.deepEqual(await ends[0]?.receive(), { type: 'data', channel: 0, bytes: Buffer.from('A') });
		webSocket.close();
		assert.deepEqual(await ends[0]?.closed, { type: 'ended' });
	});
});

test('a client that loses its connection or sends too much ends the session', async () => {
	await withListener(async (listener, ends) => {
		(await open(listener)).terminate();
		assert.equal((await ends[0]?.closed)?.type, 'failed');
		const greedy = await open(listener);
		greedy.send(Buffer.alloc(4 * 1024 * 1024));
		const [code] = await once(greedy, 'close');
		assert.equal(code, 1009);
		assert.equal((await ends[1]?.closed)?.type, 'failed');
	});
});

test('a client is slowed down while the command does not read its input', async () => {
	await withListener(async (listener, ends) => {
		const webSocket = await open(listener);
		for (let piece = 0; piece < 64; piece += 1) webSocket.send(Buffer.alloc(1024 * 1024));
		const [session] = ends;
		assert.ok(session);
		// The server has taken far less than was sent: the rest waits at the client.
		for (let piece = 0; piece < 8; piece += 1) await session.receive();
		for (let turn = 0; turn < 50; turn += 1) await jsonOf(await send(listener, 'GET', '/version'));
		assert.ok(webSocket.bufferedAmount > 16 * 1024 * 1024, `${webSocket.bufferedAmount} bytes wait`);
		session.close();
		await once(webSocket, 'close');
	});
});

test('a client that answers no ping for a minute is disconnected, one that answers is not', async () => {
	const clock = new VirtualClock();
	await withListener(async (listener, ends) => {
		const alive = await open(listener);
		const hung = await open(listener, { autoPong: false });
		for (let beats = 0; beats < 5; beats += 1) {
			const pings = [once(alive, 'ping'), ...(beats < 3 ? [once(hung, 'ping')] : [])];
			clock.advance(15_000);
			await Promise.all(pings);
			// The pong is an earlier message on the same connection: once the session has the next one, it has arrived.
			alive.send(Uint8Array.of(0, 65));
			await ends[0]?.receive();
		}
		assert.equal((await ends[1]?.closed)?.type, 'failed');
		assert.equal(alive.readyState, alive.OPEN);
		alive.terminate();
	}, clock);
});

test('a client that reads no output is disconnected', async () => {
	const clock = new VirtualClock();
	await withListener(async (listener, ends) => {
		const webSocket = await open(listener);
		webSocket.pause();
		const [session] = ends;
		assert.ok(session);
		let isOver = false;
		void session.closed.then(() => {
			isOver = true;
		});
		const writing = (async () => {
			while (await session.send({ type: 'data', channel: 1, bytes: Buffer.alloc(64 * 1024) }));
		})();
		while (!isOver) {
			clock.advance(30_000);
			await jsonOf(await send(listener, 'GET', '/version'));
		}
		await writing;
	}, clock);
});

test('a server that stops closes its sessions and refuses new ones', async () => {
	await withListener(async (listener, ends) => {
		const session = duplexOf(await open(listener));
		const output = outputOf(session);
		await session.send(typed('a'));
		await ends[0]?.receive();
		await listener.close();
		assert.deepEqual(await session.closed, { type: 'failed', message: 'the server is stopping' });
		assert.deepEqual(await output, { 1: '' });
		assert.equal((await ends[0]?.closed)?.type, 'failed');
	});
});
