import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import test, { type TestContext } from 'node:test';
import type { Container, Pod, Probe } from '../../api/core/pod/schema.ts';
import { SystemClock } from '../../base/clock.ts';
import type { ProbeReport } from './probe-action.ts';
import { runProbe } from './probe-action.ts';

const clock = new SystemClock({ keepsAlive: true });
const pod: Pod = {
	...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'ns', uid: 'u' } },
	...{ spec: { containers: [] }, status: {} },
};

function run(probe: Probe, container: Partial<Container> = {}): Promise<ProbeReport> {
	const noExec = { exec: () => Promise.reject(new Error('no exec here')) };
	const signal = new AbortController().signal;
	const full: Container = { name: 'c', ...container };
	const request = { pod, container: full, probe, containerId: 'id', podIP: '127.0.0.1', signal };
	return runProbe({ runtime: noExec, clock }, request);
}

async function listening(t: TestContext, server: Server): Promise<number> {
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.after(() => server.close());
	return (server.address() as AddressInfo).port;
}

/** A server, and the requests that it has received. */
async function http(
	t: TestContext,
	answer: RequestListener,
): Promise<{ port: number; received: IncomingMessage[] }> {
	const received: IncomingMessage[] = [];
	const server = createServer((request, response) => {
		received.push(request);
		answer(request, response);
	});
	return { port: await listening(t, server), received };
}

test('an HTTP probe sends the headers of the kubelet, and succeeds with 200 to 299', async (t) => {
	const { port, received } = await http(t, (_, response) => response.writeHead(204).end());
	assert.equal((await run({ httpGet: { port, path: '/a b?x=1#y' } })).result, 'success');
	const [first] = received;
	assert.equal(first?.url, '/a%20b?x=1');
	assert.deepEqual(first?.headers, {
		...{ 'user-agent': 'kube-probe/1.37', accept: '*/*', connection: 'close', host: `127.0.0.1:${port}` },
	});
	const httpHeaders = [
		{ name: 'Host', value: 'example.org' },
		{ name: 'Accept', value: '' },
		{ name: 'User-Agent', value: 'mine' },
		{ name: 'X-Two', value: '1' },
		{ name: 'X-Two', value: '2' },
	];
	const ports = [{ name: 'web', containerPort: port }];
	const report = await run({ httpGet: { port: 'web', host: 'localhost', httpHeaders } }, { ports });
	assert.deepEqual(report, { result: 'success', output: '' });
	assert.equal(received[1]?.url, '/');
	assert.deepEqual(received[1]?.headers, {
		...{ host: 'example.org', 'user-agent': 'mine', 'x-two': '1, 2', connection: 'close' },
	});
});

test('an HTTP probe fails with another status, without the body', async (t) => {
	const { port } = await http(t, (_, response) => response.writeHead(503).end('secret'));
	const report = await run({ httpGet: { port } });
	assert.deepEqual(report, { result: 'failure', output: 'HTTP probe failed with statuscode: 503' });
});

test('redirects to the same host are followed at most 10 times, others give a warning', async (t) => {
	const location = { near: '/ok', far: 'http://example.org/', loop: '/loop', none: '' };
	const { port, received } = await http(t, ({ url = '' }, response) => {
		const to = location[url.slice(1) as keyof typeof location];
		if (to === undefined) response.end('fine');
		else response.writeHead(302, to ? { location: to } : {}).end(`moved from ${url}`);
	});
	assert.deepEqual(await run({ httpGet: { port, path: '/near' } }), { result: 'success', output: 'fine' });
	for (const path of ['/far', '/none']) {
		const output = `Probe terminated redirects, Response body: moved from ${path}`;
		assert.deepEqual(await run({ httpGet: { port, path } }), { result: 'warning', output });
	}
	received.length = 0;
	const { result, output } = await run({ httpGet: { port, path: '/loop' } });
	assert.deepEqual([result, received.length], ['failure', 11]);
	assert.equal(output, `Get "http://127.0.0.1:${port}/loop": stopped after 10 redirects`);
});

test('a body is read up to 10 KiB', async (t) => {
	const { port } = await http(t, (_, response) => {
		response.write('x'.repeat(20_000));
	});
	assert.equal((await run({ httpGet: { port } })).output.length, 10 * 1024);
});

test('a request without an answer fails at the timeout, and a body without an end is an error', async (t) => {
	const { port } = await http(t, ({ url }, response) => {
		if (url === '/body') response.write('a');
	});
	const late = await run({ httpGet: { port }, timeoutSeconds: 0.05 });
	const text = 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)';
	assert.deepEqual(late, { result: 'failure', output: `Get "http://127.0.0.1:${port}/": ${text}` });
	await assert.rejects(run({ httpGet: { port, path: '/body' }, timeoutSeconds: 0.3 }), {
		...{ name: 'ProbeError', result: 'failure' },
		message: 'context deadline exceeded (Client.Timeout or context cancellation while reading body)',
	});
});

test("connections that fail are reported with Go's texts", async (t) => {
	const server = createTcpServer((socket) => socket.destroy());
	const port = await listening(t, server);
	const eof = await run({ httpGet: { port } });
	assert.deepEqual(eof, { result: 'failure', output: `Get "http://127.0.0.1:${port}/": EOF` });
	assert.deepEqual(await run({ tcpSocket: { port } }), { result: 'success', output: '' });
	server.close();
	await once(server, 'close');
	const refused = `dial tcp 127.0.0.1:${port}: connect: connection refused`;
	assert.equal((await run({ tcpSocket: { port } })).output, refused);
	assert.equal((await run({ httpGet: { port } })).output, `Get "http://127.0.0.1:${port}/": ${refused}`);
	const answered = await http(t, (_, response) => response.end());
	assert.equal(
		(await run({ httpGet: { port: answered.port, scheme: 'HTTPS' } })).output,
		`Get "https://127.0.0.1:${answered.port}/": http: server gave HTTP response to HTTPS client`,
	);
});

test('a port that does not exist is an error', async () => {
	for (const probe of [{ httpGet: { port: 'web' } }, { tcpSocket: { port: 'web' } }])
		await assert.rejects(run(probe), { result: 'unknown', message: 'port "web" not found' });
	await assert.rejects(run({ tcpSocket: { port: 70_000 } }), { message: 'invalid port number: 70000' });
	await assert.rejects(run({}), { message: 'missing probe handler for p_ns(u):c' });
});

/** A gRPC server whose answer the test writes. Returns its port, and the bodies and headers it has received. */
async function grpc(t: TestContext, answer: (stream: ServerHttp2Stream) => void) {
	const received: { headers: unknown; body: string }[] = [];
	const server = createHttp2Server();
	server.on('session', (session) => t.after(() => session.destroy()));
	server.on('stream', (stream: ServerHttp2Stream, headers: unknown) => {
		let body = '';
		stream.setEncoding('hex');
		stream.on('data', (part) => {
			body += part;
		});
		stream.on('end', () => {
			received.push({ headers, body });
			answer(stream);
		});
	});
	return { port: await listening(t, server), received };
}

/** Answers with a serving status, as a health service does. */
function serve(stream: ServerHttp2Stream, message: string, trailers: Record<string, string>): void {
	stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
	stream.on('wantTrailers', () => stream.sendTrailers(trailers));
	stream.end(Buffer.from(message, 'hex'));
}

test('a gRPC probe asks the health service', async (t) => {
	const { port, received } = await grpc(t, (stream) =>
		serve(stream, '00000000020801', { 'grpc-status': '0' }),
	);
	assert.equal((await run({ grpc: { port, service: 'db' } })).result, 'success');
	await run({ grpc: { port, service: '' } });
	assert.deepEqual(
		received.map(({ body }) => body),
		['00000000040a026462', '0000000000'],
	);
	const headers = received[0]?.headers as Record<string, string>;
	assert.equal(headers[':path'], '/grpc.health.v1.Health/Check');
	assert.match(headers['user-agent'] ?? '', /^kube-probe\/1\.37/);
	assert.equal(headers.te, 'trailers');
});

test("a gRPC probe fails with upstream's texts", async (t) => {
	const answers: ((stream: ServerHttp2Stream) => void)[] = [
		(stream) => serve(stream, '00000000020802', { 'grpc-status': '0' }),
		(stream) => serve(stream, '0000000000', { 'grpc-status': '0' }),
		(stream) =>
			stream.respond(
				{ ':status': 200, 'grpc-status': '12', 'grpc-message': 'no%20such' },
				{ endStream: true },
			),
		(stream) =>
			stream.respond({ ':status': 200, 'grpc-status': '5', 'grpc-message': 'x' }, { endStream: true }),
		() => undefined,
	];
	const outputs: string[] = [];
	const { port } = await grpc(t, (stream) => answers[outputs.length]?.(stream));
	for (const _ of answers) outputs.push((await run({ grpc: { port }, timeoutSeconds: 0.5 })).output);
	assert.deepEqual(outputs, [
		'service unhealthy (responded with "NOT_SERVING")',
		'service unhealthy (responded with "UNKNOWN")',
		'error: this server does not implement the grpc health protocol (grpc.health.v1.Health): no such',
		'error: health rpc probe failed: rpc error: code = NotFound desc = x',
		'timeout: health rpc did not complete within 500ms',
	]);
});

test('a gRPC probe of a port without a server fails at the timeout', async (t) => {
	const server = createTcpServer();
	const port = await listening(t, server);
	server.close();
	await once(server, 'close');
	assert.equal(
		(await run({ grpc: { port }, timeoutSeconds: 0.1 })).output,
		`timeout: failed to connect service "127.0.0.1:${port}" within 100ms: context deadline exceeded`,
	);
});
