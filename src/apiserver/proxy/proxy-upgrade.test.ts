import assert from 'node:assert/strict';
import { once } from 'node:events';
import { IncomingMessage } from 'node:http';
import { type TestContext, test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { bindPod } from '../testing/exec-contract-suite.ts';
import { listenTo, type SentUpgrade, textOf, upgrade } from '../testing/https-test-client.ts';
import { openTestServer, PODS } from '../testing/server-contract-suite.ts';
import { type WebNode, webNode } from '../testing/web-node.ts';

/** A server with the Pod `p`, on which a WebSocket at any path but `/none` echoes the head of its request, then all messages. */
async function world(t: TestContext): Promise<{
	readonly node: WebNode;
	readonly open: (path: string, sent?: SentUpgrade) => Promise<WebSocket | IncomingMessage>;
	readonly stop: () => Promise<void>;
}> {
	const node = await webNode((_, response) => void response.end('no WebSocket'));
	const webSockets = new WebSocketServer({ noServer: true });
	node.web.on('upgrade', (request, socket, head) => {
		if (request.url === '/none')
			socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\nx-a: b\r\n\r\nno');
		else if (request.url === '/ok') socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
		else
			webSockets.handleUpgrade(request, socket, head, (webSocket) => {
				webSocket.send(JSON.stringify([request.url, request.headers]));
				webSocket.on('message', (data, isBinary) => webSocket.send(data, { binary: isBinary }));
			});
	});
	const opened = await openTestServer({ nodeApi: node });
	await bindPod(opened);
	const contentType = 'application/merge-patch+json';
	const body = { status: { podIP: '10.0.0.7' } };
	await opened.server.request({ method: 'PATCH', path: `${PODS}/p/status`, body, contentType });
	const listener = await listenTo(opened);
	t.after(async () => {
		await listener.close();
		opened.server.close();
		assert.deepEqual(opened.faults, []);
	});
	return {
		node,
		open: (path, sent) => upgrade(listener, `${PODS}/${path}`, sent),
		stop: () => listener.close(),
	};
}

async function messageOf(webSocket: WebSocket): Promise<string> {
	const message = once(webSocket, 'message');
	webSocket.resume();
	return String((await message)[0]);
}

test('a WebSocket passes through, without the credentials of its client', async (t) => {
	const { open, node } = await world(t);
	for (const name of ['p:80', 'https:p:443']) {
		const sent = { protocols: ['chat'], headers: { origin: 'http://localhost', cookie: 'a=b' } };
		const webSocket = await open(`${name}/proxy/ws?q`, sent);
		assert.ok(webSocket instanceof WebSocket);
		assert.equal(webSocket.protocol, 'chat');
		const [url, headers] = JSON.parse(await messageOf(webSocket));
		assert.equal(url, '/ws?q');
		assert.deepEqual(
			[headers.authorization, headers.cookie, headers.origin],
			[undefined, 'a=b', 'http://localhost'],
		);
		assert.equal(headers['x-forwarded-for'], '127.0.0.1');
		const text = 'x'.repeat(500_000);
		webSocket.send(text);
		assert.equal(await messageOf(webSocket), text);
		webSocket.close(1000);
		assert.equal((await once(webSocket, 'close'))[0], 1000);
	}
	assert.equal(node.open.size, 0);
});

test('a refusal of the Pod reaches the client, and other answers are errors', async (t) => {
	const { open } = await world(t);
	const refusal = async (path: string, sent?: SentUpgrade): Promise<string> => {
		const response = await open(path, sent);
		assert.ok(response instanceof IncomingMessage);
		const text = await textOf(response);
		const { message } = text.startsWith('{') ? JSON.parse(text) : { message: text };
		return `${response.statusCode} ${message}`;
	};
	assert.equal(await refusal('p/proxy/none'), '403 no');
	assert.equal(await refusal('p/proxy/ok'), '500 invalid upgrade response: status code 200');
	const refused = 'error dialing backend: dial tcp 10.0.0.7:81: connect: connection refused';
	assert.equal(await refusal('p:81/proxy/'), `500 ${refused}`);
	assert.equal(await refusal('q/proxy/'), '404 pods "q" not found');
	assert.equal(await refusal('p/proxy/ws', { token: null }), '401 Unauthorized');
});

test('the connection to the Pod ends with that of the client, and with the server', async (t) => {
	const { open, node, stop } = await world(t);
	const first = await open('p/proxy/');
	assert.ok(first instanceof WebSocket);
	const second = await open('p:8080/proxy/');
	assert.ok(second instanceof WebSocket);
	assert.deepEqual([...node.open], ['p:80', 'p:8080']);
	const over = [first, second].map((each) => once(each, 'close'));
	first.resume();
	second.resume();
	first.terminate();
	await over[0];
	await stop();
	await over[1];
	assert.equal(node.open.size, 0);
});
