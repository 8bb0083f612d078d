import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { ApiForwarder } from '../../client/transport/http-node-forward.ts';
import { ApiProxy } from './api-proxy.ts';

interface World {
	readonly port: number;
	/** The API server. */
	readonly server: Server;
	readonly close: () => void;
	readonly get: (path: string, headers?: Record<string, string>, body?: string) => Promise<IncomingMessage>;
}

async function world(t: TestContext, listener: RequestListener): Promise<World> {
	const server = createServer(listener);
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // `as`: it listens on a port.
	const access = { server: `${at}/base`, namespace: 'default' };
	const forwarder = new ApiForwarder(access, {});
	const proxy = new ApiProxy(forwarder, ({ url, host }) => {
		if (url === '/refused') return { type: 'refused', code: 403 };
		if (url === '/moved') return { type: 'redirected', location: '/api' };
		return host === 'other' ? { type: 'refused', code: 403 } : { type: 'passed', path: url };
	});
	const { port, close } = await proxy.listen({ host: '127.0.0.1', port: 0 });
	t.after(() => {
		close();
		server.close();
		server.closeAllConnections();
	});
	const get: World['get'] = async (path, headers = {}, body = '') => {
		const method = body === '' ? 'GET' : 'POST';
		const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false });
		sent.end(body);
		const [response] = await once(sent, 'response');
		return response;
	};
	return { port, server, close, get };
}

async function textOf(response: IncomingMessage): Promise<string> {
	return (await Array.fromAsync(response)).join('');
}

test('a request reaches the server as it is, below its own path', async (t) => {
	const { get, server } = await world(t, async ({ url, headers, method }, response) => {
		response.setHeader('connection', 'x-hop').setHeader('x-hop', '1').setHeader('x-kept', '2');
		response.end(JSON.stringify({ url, method, headers }));
	});
	const response = await get('/api/v1/pods?watch=1', { 'x-a': '1', authorization: 'Bearer own' }, 'body');
	assert.deepEqual([response.headers['x-hop'], response.headers['x-kept']], [undefined, '2']);
	const { url, method, headers } = JSON.parse(await textOf(response));
	assert.deepEqual([url, method], ['/base/api/v1/pods?watch=1', 'POST']);
	assert.deepEqual([headers['x-a'], headers.authorization], ['1', 'Bearer own']);
	const { port } = server.address() as AddressInfo; // `as`: it listens on a port.
	assert.equal(headers.host, `127.0.0.1:${port}`);
});

test('refused and redirected requests do not reach the server', async (t) => {
	const { get } = await world(t, () => assert.fail());
	const refused = await get('/refused');
	assert.deepEqual([refused.statusCode, await textOf(refused)], [403, 'Forbidden\n']);
	const moved = await get('/moved');
	assert.deepEqual([moved.statusCode, moved.headers.location], [307, '/api']);
});

test('a watch arrives event by event, and ends with its client', async (t) => {
	const gone = Promise.withResolvers<void>();
	const { get } = await world(t, (_, response) => {
		response.once('close', () => gone.resolve());
		response.write('event');
	});
	const response = await get('/watch');
	assert.equal(String((await once(response, 'data'))[0]), 'event');
	response.destroy();
	await gone.promise;
});

test('a server that cannot be reached is reported', async (t) => {
	const { get, server } = await world(t, () => undefined);
	server.close();
	const response = await get('/api');
	assert.equal(response.statusCode, 502);
	assert.match(await textOf(response), /ECONNREFUSED/);
});

test('WebSockets pass through until the proxy is closed', async (t) => {
	const { port, server, close } = await world(t, (_, response) => response.writeHead(404).end('none'));
	const webSockets = new WebSocketServer({ noServer: true });
	server.on('upgrade', (received, socket, head) => {
		webSockets.handleUpgrade(received, socket, head, (webSocket) => {
			webSocket.on('message', (data) => webSocket.send(`${received.url} ${data}`));
		});
	});
	const webSocket = new WebSocket(`ws://127.0.0.1:${port}/exec`);
	await once(webSocket, 'open');
	webSocket.send('a');
	assert.equal(String((await once(webSocket, 'message'))[0]), '/base/exec a');
	const refused = new WebSocket(`ws://127.0.0.1:${port}/exec`, { headers: { host: 'other' } });
	const [, answer] = await once(refused, 'unexpected-response');
	assert.equal(answer.statusCode, 403);
	const closed = once(webSocket, 'close');
	close();
	await closed;
});
