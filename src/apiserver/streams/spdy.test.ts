import assert from 'node:assert/strict';
import { once } from 'node:events';
import { IncomingMessage } from 'node:http';
import { type TestContext, test } from 'node:test';
import type { Duplex } from '../../api/contract/duplex.ts';
import type { NodeApi } from '../../api/contract/node-api.ts';
import { duplexPair } from '../../api/streams/duplex-pair.ts';
import { VirtualClock } from '../../base/testing/virtual-clock.ts';
import { ECHO_NODE } from '../testing/echo-node.ts';
import { bindPod } from '../testing/exec-contract-suite.ts';
import { jsonOf, listenTo, send } from '../testing/https-test-client.ts';
import { openTestServer, PODS } from '../testing/server-contract-suite.ts';
import { openSpdy, type SpdyTestClient, spdyText } from '../testing/spdy-test-client.ts';

const V4 = ['v5.channel.k8s.io', 'v4.channel.k8s.io', 'v3.channel.k8s.io'];
const EXEC = `${PODS}/p/exec?command=cat&stdin=1&stdout=1&stderr=1`;

interface World {
	readonly clock: VirtualClock;
	open(path: string, protocols?: readonly string[]): Promise<SpdyTestClient>;
	refusal(path: string, protocols?: readonly string[]): Promise<string>;
	/** A request and its answer, in which the server has had its turns. */
	turn(): Promise<void>;
	close(): Promise<void>;
}

async function world(t: TestContext, nodeApi: NodeApi = ECHO_NODE): Promise<World> {
	const opened = await openTestServer({ nodeApi });
	await bindPod(opened);
	const clock = new VirtualClock();
	const listener = await listenTo(opened, { clock });
	const close = async (): Promise<void> => {
		await Promise.all([listener.close(), Promise.resolve().then(() => clock.advance(2000))]);
	};
	t.after(async () => {
		await close();
		opened.server.close();
		assert.deepEqual(opened.faults, []);
	});
	const upgraded = (path: string, protocols: readonly string[]): Promise<SpdyTestClient | IncomingMessage> =>
		openSpdy(listener, path, protocols);
	return {
		clock,
		close,
		open: async (path, protocols = V4) => {
			const client = await upgraded(path, protocols);
			assert.ok(!(client instanceof IncomingMessage), 'the server has refused the upgrade');
			return client;
		},
		refusal: async (path, protocols = V4) => {
			const response = await upgraded(path, protocols);
			assert.ok(response instanceof IncomingMessage);
			const { code, message } = await jsonOf(response);
			return `${code} ${message}`;
		},
		turn: async () => void (await jsonOf(await send(listener, 'GET', '/version'))),
	};
}

/** A node agent whose commands are the given ends of sessions. */
function nodeWith(ends: Duplex[]): NodeApi {
	const open = async (): Promise<Duplex> => {
		const [caller, own] = duplexPair();
		ends.push(own);
		return caller;
	};
	return { ...ECHO_NODE, exec: open, attach: open, portForward: open };
}

test('a command gets its input, and ends with its outputs and its Status', async (t) => {
	const { open } = await world(t);
	const client = await open(EXEC);
	assert.equal(client.protocol, 'v4.channel.k8s.io');
	const [error, stdin, stdout, stderr] = ['error', 'stdin', 'stdout', 'stderr'].map((type) =>
		client.stream(type),
	);
	assert.ok(error && stdin && stdout && stderr);
	for (const text of ['ab', 'c'.repeat(300_000)]) assert.equal(await stdin.write(Buffer.from(text)), true);
	await stdin.end();
	assert.equal((await spdyText(stdout)).length, 300_002);
	assert.equal(JSON.parse(await spdyText(stderr)).container, 'main');
	const { details } = JSON.parse(await spdyText(error));
	assert.deepEqual(details, { causes: [{ reason: 'ExitCode', message: '300002' }] });
	assert.equal(await client.session.closed, undefined);
});

test('attach ends with a success, and a terminal receives its sizes', async (t) => {
	const ends: Duplex[] = [];
	const { open } = await world(t, nodeWith(ends));
	const client = await open(`${PODS}/p/attach?stdin=true&stdout=true&tty=true&stderr=true`);
	const [error, stdin] = [client.stream('error'), client.stream('stdin')];
	client.stream('stdout');
	const resize = client.stream('resize');
	await resize.write(Buffer.from('{"Width":80,"Height":24}'));
	const [session] = ends;
	const size = await session?.receive();
	assert.ok(size?.type === 'data' && size.channel === 4, 'a size arrives');
	await stdin.end();
	assert.deepEqual(await session?.receive(), { type: 'end', channel: 0 });
	void session?.send({ type: 'data', channel: 3, bytes: Buffer.from('{"status":"Success"}') });
	session?.close();
	assert.equal(await spdyText(error), '{"status":"Success"}');
});

test('streams that were not asked for are reset; without all streams the client is disconnected', async (t) => {
	const ends: Duplex[] = [];
	const { open, clock, turn } = await world(t, nodeWith(ends));
	const client = await open(`${PODS}/p/exec?command=cat&stdout=1`);
	const error = client.stream('error');
	for (const type of ['stdin', 'resize', 'nonsense', 'error'])
		assert.equal(await client.stream(type).read(), undefined, type);
	await turn();
	clock.advance(30_000);
	assert.equal(await error.read(), undefined);
	assert.equal((await ends[0]?.closed)?.type, 'failed');
});

test('a client that disconnects ends its command, a server that stops ends both', async (t) => {
	const ends: Duplex[] = [];
	const { open, close } = await world(t, nodeWith(ends));
	const first = await open(EXEC);
	for (const type of ['error', 'stdin', 'stdout', 'stderr']) first.stream(type);
	first.socket.destroy();
	assert.equal((await ends[0]?.closed)?.type, 'failed');
	const second = await open(EXEC);
	await close();
	await second.session.closed;
	assert.deepEqual(await ends[1]?.closed, { type: 'failed', message: 'the server is stopping' });
});

test('a client is slowed down while the command does not read, and one that reads nothing is disconnected', async (t) => {
	const ends: Duplex[] = [];
	const { open, clock, turn } = await world(t, nodeWith(ends));
	const client = await open(EXEC);
	const [, stdin] = ['error', 'stdin', 'stdout', 'stderr'].map((type) => client.stream(type));
	let taken = 0;
	const writing = (async () => {
		while (taken < 1000 && (await stdin?.write(Buffer.alloc(64 * 1024)))) taken += 1;
	})();
	for (let turns = 0; turns < 50; turns += 1) await turn();
	assert.ok(taken < 500, `${taken} writes of 64 KiB`);
	client.socket.destroy();
	await writing;
	const silent = await open(EXEC);
	for (const type of ['error', 'stdin', 'stdout', 'stderr']) silent.stream(type);
	silent.socket.pause();
	const [, session] = ends;
	let isOver = false;
	void session?.closed.then(() => {
		isOver = true;
	});
	const sending = (async () => {
		while (await session?.send({ type: 'data', channel: 1, bytes: Buffer.alloc(64 * 1024) }));
	})();
	while (!isOver) {
		clock.advance(30_000);
		await turn();
	}
	await sending;
});

test('a client that answers no ping for a minute is disconnected, one that answers is not', async (t) => {
	const ends: Duplex[] = [];
	const { open, clock } = await world(t, nodeWith(ends));
	const alive = await open(EXEC);
	const [, stdin] = ['error', 'stdin', 'stdout', 'stderr'].map((type) => alive.stream(type));
	const hung = await open(EXEC);
	hung.socket.pause();
	for (let beats = 0; beats < 5; beats += 1) {
		const ping = once(alive.socket, 'data');
		clock.advance(15_000);
		await ping;
		// The answer is an earlier frame on the same connection: once the session has the next one, it has arrived.
		void stdin?.write(Buffer.from('x'));
		await ends[0]?.receive();
	}
	assert.equal((await ends[1]?.closed)?.type, 'failed');
	assert.equal(alive.socket.destroyed, false);
	alive.socket.destroy();
});

test('port-forward carries any number of connections, and an error has a stream of its own', async (t) => {
	const { open } = await world(t);
	const client = await open(`${PODS}/p/portforward`, ['portforward.k8s.io']);
	assert.equal(client.protocol, 'portforward.k8s.io');
	const connect = (port: number, requestid: string) => {
		const error = client.stream('error', { port: String(port), requestid });
		void error.end();
		return { error, data: client.stream('data', { port: String(port), requestid }) };
	};
	const connections = Array.from({ length: 50 }, (_, index) => connect(80, String(index)));
	for (const [index, { data }] of connections.entries()) {
		void data.write(Buffer.from(`${index} `.repeat(2000)));
		void data.end();
	}
	for (const [index, { data, error }] of connections.entries()) {
		assert.equal(await spdyText(data), `${index} `.repeat(2000));
		assert.equal(await spdyText(error), '');
	}
	const refused = connect(81, 'r');
	assert.match(
		await spdyText(refused.error),
		/^error forwarding port 81 to pod p, uid [0-9a-f-]{36}: dial tcp4 127\.0\.0\.1:81: connect: connection refused$/,
	);
	assert.equal(await spdyText(refused.data), '');
	const still = connect(80, 'still');
	void still.data.write(Buffer.from('x'));
	assert.equal(Buffer.from((await still.data.read()) ?? []).toString(), 'x');
	client.socket.destroy();
});

test('streams without a valid port or type are reset, and one without its second stream is reported', async (t) => {
	const { open, clock, turn } = await world(t);
	const client = await open(`${PODS}/p/portforward`, ['portforward.k8s.io']);
	for (const port of ['', '0', '65536', '-1', 'http'])
		assert.equal(await client.stream('data', { requestid: '1', port }).read(), undefined);
	assert.equal(await client.stream('data').read(), undefined);
	assert.equal(await client.stream('other', { port: '80' }).read(), undefined);
	const old = client.stream('error', { port: '80' });
	const data = client.stream('data', { port: '80' });
	void data.write(Buffer.from('without ids'));
	void data.end();
	assert.equal(await spdyText(data), 'without ids');
	assert.equal(await spdyText(old), '');
	const alone = client.stream('error', { port: '80', requestid: 'alone' });
	const dataAlone = client.stream('data', { port: '80', requestid: 'other' });
	await turn();
	clock.advance(30_000);
	assert.equal(await spdyText(alone), '(request=alone) timed out waiting for streams');
	assert.equal(await dataAlone.read(), undefined);
	client.socket.destroy();
});

test('a request that cannot be served is refused with a Status before the upgrade', async (t) => {
	const { refusal } = await world(t);
	assert.equal(await refusal(`${PODS}/q/portforward`, ['portforward.k8s.io']), '404 pods "q" not found');
	assert.match(await refusal(`${PODS}/p/portforward`), /^403 .*server accepts \[portforward.k8s.io\]/);
	assert.match(await refusal(`${PODS}/p/attach`), /^400 you must specify at least 1 of stdin/);
	assert.match(await refusal(`${PODS}/p/attach?stdout=1&container=x`), /^400 container x is not valid/);
});
