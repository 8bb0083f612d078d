import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ClientRequest } from 'node:http';
import { request } from 'node:https';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Duplex } from '../../api/contract/duplex.ts';
import { bindPod } from '../testing/exec-contract-suite.ts';
import { jsonOf, listenTo, type Sent, send, testCredentials, textOf } from '../testing/https-test-client.ts';
import { mirror, proxyWorld } from '../testing/proxy-world.ts';
import { PODS } from '../testing/server-contract-suite.ts';

test('a request of any method arrives with its body, and not with credentials', async (t) => {
	const { send: request, host } = await proxyWorld(t, mirror);
	for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
		const headers = { 'x-mine': '1', connection: 'x-hop', 'x-hop': '1', cookie: 'a=b' };
		const body = method === 'GET' ? {} : { body: 'täxt' };
		const response = await request(method, 'pods/p:8080/proxy/a//b/?q=%20&r', { headers, ...body });
		assert.equal(response.statusCode, 200, method);
		const seen = JSON.parse(await textOf(response));
		assert.deepEqual([seen.method, seen.url, seen.body], [method, '/a/b/?q=%20&r', body.body ?? '']);
		const { 'content-length': length, ...others } = seen.headers;
		assert.equal(length, body.body && '5');
		assert.deepEqual(others, {
			...{ host, cookie: 'a=b', connection: 'close', 'x-mine': '1', 'x-forwarded-for': '127.0.0.1' },
			'x-forwarded-uri': `${PODS}/p:8080/proxy/a/b/`,
		});
	}
	const head = await request('HEAD', 'pods/p/proxy/');
	assert.deepEqual([head.statusCode, head.headers['x-method'], await textOf(head)], [200, 'HEAD', '']);
});

test('a chunked body is streamed to the Pod, and so is its answer', async (t) => {
	const { send: request } = await proxyWorld(t, (received, response) => void received.pipe(response));
	const body = 'x'.repeat(1_000_000);
	const headers = { 'transfer-encoding': 'chunked' };
	assert.equal(await textOf(await request('POST', 'pods/p/proxy/', { headers, body })), body);
});

test('a path without a slash after proxy is redirected', async (t) => {
	const { send: request } = await proxyWorld(t, mirror);
	const response = await request('GET', 'pods/p:80/proxy?a=b');
	assert.deepEqual([response.statusCode, response.headers.location], [301, `${PODS}/p:80/proxy/?a=b`]);
	assert.equal(JSON.parse(await textOf(await request('POST', 'pods/p:80/proxy', { body: '' }))).url, '/');
});

test('a page of this machine may send requests to a Pod, and no page of another site', async (t) => {
	const { send: request } = await proxyWorld(t, mirror);
	const codeFor = async (path: string, origin: string): Promise<number | undefined> =>
		(await request('POST', path, { body: '', headers: { origin } })).statusCode;
	for (const origin of ['http://127.0.0.1:8001', 'http://localhost:8001', 'http://[::1]:8001'])
		assert.equal(await codeFor('pods/p/proxy/form', origin), 200, origin);
	for (const origin of ['http://example.com', 'http://localhost.example.com', 'null', 'file://localhost'])
		assert.equal(await codeFor('pods/p/proxy/form', origin), 403, origin);
	assert.equal(await codeFor('pods/p/eviction', 'http://localhost:8001'), 403);
});

test('redirects are not followed, and lead through the proxy', async (t) => {
	const { send: request, node } = await proxyWorld(t, ({ url }, response) =>
		response.writeHead(302, { location: `http://10.0.0.7:80${url}x`, 'set-cookie': ['a=1', 'b=2'] }).end(),
	);
	const response = await request('GET', 'pods/http:p:80/proxy/a/');
	assert.deepEqual([response.statusCode, response.headers.location], [302, `${PODS}/http:p:80/proxy/a/x`]);
	assert.deepEqual(response.headers['set-cookie'], ['a=1', 'b=2']);
	response.resume();
	await once(response, 'end');
	assert.equal(node.open.size, 0);
});

test('the links of a page lead through the proxy, in a compressed one too', async (t) => {
	const page = '<a href="/rewriteme">test</a>';
	const { send: request } = await proxyWorld(t, ({ url }, response) => {
		const headers = { 'content-type': 'text/html; charset=utf-8', 'access-control-allow-origin': '*' };
		if (url === '/304') response.writeHead(304, { ...headers, 'content-encoding': 'gzip' }).end();
		else if (url === '/plain')
			response.writeHead(200, { ...headers, 'content-length': page.length }).end(page);
		else response.writeHead(200, { ...headers, 'content-encoding': 'gzip' }).end(gzipSync(page));
	});
	const expected = `<a href="${PODS}/p:80/proxy/rewriteme">test</a>`;
	const plain = await request('GET', 'pods/p:80/proxy/plain');
	assert.equal(plain.headers['access-control-allow-origin'], undefined);
	assert.equal(await textOf(plain), expected);
	assert.equal((await request('GET', 'pods/p:80/proxy/304')).statusCode, 304);
	const packed = await Array.fromAsync(await request('GET', 'pods/p:80/proxy/packed'));
	assert.equal(gunzipSync(Buffer.concat(packed)).toString(), expected);
});

test('HTTPS is spoken without a check of the certificate', async (t) => {
	const { send: request } = await proxyWorld(t, mirror);
	assert.equal(JSON.parse(await textOf(await request('GET', 'pods/https:p:443/proxy/a'))).url, '/a');
	const { code, message } = await jsonOf(await request('GET', 'pods/https:p:80/proxy/a'));
	assert.match(`${code} ${message}`, /^503 error trying to reach service: /);
});

test('refusals have the texts of upstream', async (t) => {
	const upgrade = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n';
	const answers: Readonly<Record<string, string>> = { garbage: 'garbage\r\n\r\n', empty: '', upgrade };
	const raw = async (own: Duplex): Promise<void> => {
		const message = await own.receive();
		const head = message?.type === 'data' ? Buffer.from(message.bytes).toString() : '';
		const long = `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(70_000)}\r\n\r\n`;
		const bytes = Buffer.from(answers[/\/(\w+)/.exec(head)?.[1] ?? ''] ?? long);
		if (bytes.length > 0) await own.send({ type: 'data', channel: 0, bytes });
		await own.send({ type: 'end', channel: 0 });
	};
	const { send: request, opened } = await proxyWorld(t, mirror, raw);
	const refused = async (path: string, sent: Sent = {}): Promise<string> => {
		const { code, message } = await jsonOf(await request('POST', path, { body: 'x', ...sent }));
		return `${code} ${message}`;
	};
	const unreachable = '503 error trying to reach service:';
	assert.equal(
		await refused('pods/p:81/proxy/'),
		`${unreachable} dial tcp 10.0.0.7:81: connect: connection refused`,
	);
	assert.equal(await refused('pods/p:82/proxy/empty'), `${unreachable} EOF`);
	assert.equal(await refused('pods/p:82/proxy/upgrade'), `${unreachable} EOF`);
	assert.match(await refused('pods/p:82/proxy/garbage'), /HTTP\/1\.x transport connection broken/);
	assert.match(
		await refused('pods/p:82/proxy/long'),
		/server response headers exceeded 65536 bytes; aborted$/,
	);
	assert.equal(await refused('pods/q:80/proxy/'), '404 pods "q" not found');
	assert.equal(await refused('pods/a:b:c:d/proxy/'), '400 invalid pod request "a:b:c:d"');
	assert.equal(await refused('pods/ftp:p:21/proxy/'), '400 invalid pod request "ftp:p:21"');
	assert.equal(await refused('pods/p:web/proxy/'), '400 pod "p" has no port "web"');
	assert.equal(await refused('pods/p:80/proxy/', { token: null }), '401 Unauthorized');
	await bindPod(opened, 'new');
	assert.equal(await refused('pods/new:80/proxy/'), '400 address not allowed');
});

test('an answer arrives while the Pod still writes it, and the request ends with the client', async (t) => {
	const gone = Promise.withResolvers<void>();
	const { send: request, node } = await proxyWorld(t, (_, response) => {
		response.on('close', () => gone.resolve());
		response.write('first');
	});
	const response = await request('GET', 'pods/p/proxy/');
	const [piece] = await once(response.setEncoding('utf8'), 'data');
	assert.equal(piece, 'first');
	assert.deepEqual([...node.open], ['p:80']);
	response.destroy();
	await gone.promise;
	assert.equal(node.open.size, 0);
});

test('a Pod that never answers is given up when the client goes away', async (t) => {
	const asked = Promise.withResolvers<Duplex>();
	const { opened, node } = await proxyWorld(t, mirror, asked.resolve);
	const listener = await listenTo(opened);
	t.after(() => listener.close());
	const controller = new AbortController();
	const waiting = send(listener, 'GET', `${PODS}/p:82/proxy/`, { signal: controller.signal });
	const own = await asked.promise;
	controller.abort();
	await assert.rejects(waiting);
	await own.closed;
	assert.equal(node.open.size, 0);
});

test('an answer that breaks off is not complete for the client', async (t) => {
	const { send: request } = await proxyWorld(t, (_, response) => {
		response.write('first', () => response.destroy());
	});
	const response = await request('GET', 'pods/p/proxy/');
	await assert.rejects(textOf(response), /aborted/);
});

test('a Pod may answer before it has read the body', async (t) => {
	const { send: request } = await proxyWorld(t, (_, response) => response.writeHead(413).end('no'));
	const response = await request('POST', 'pods/p/proxy/', { body: 'x'.repeat(2_000_000) });
	assert.deepEqual([response.statusCode, await textOf(response)], [413, 'no']);
});

test('a body that takes longer than other requests may take is passed on', async (t) => {
	const { opened } = await proxyWorld(t, mirror);
	const listener = await listenTo(opened, { requestTimeoutMs: 200 });
	t.after(() => listener.close());
	const { caPem: ca, token } = await testCredentials();
	const start = (path: string): ClientRequest => {
		const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
		const sent = request(`${listener.url}${path}`, { ca, servername: 'localhost', method: 'POST', headers });
		sent.write('a');
		return sent;
	};
	const proxied = start(`${PODS}/p/proxy/`);
	const answer = once(proxied, 'response');
	const [refused] = await once(start(PODS), 'response');
	assert.equal(refused.statusCode, 408);
	proxied.end('b');
	const [response] = await answer;
	assert.equal(JSON.parse(await textOf(response)).body, 'ab');
});

test('requests are counted as connections', async (t) => {
	const { send: request, opened } = await proxyWorld(t, mirror);
	await textOf(await request('GET', 'pods/p/proxy/'));
	const text = await opened.metrics.text();
	assert.match(text, /apiserver_request_total{verb="CONNECT",.*subresource="proxy",.*code="200"} 1/);
});
