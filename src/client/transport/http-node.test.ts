import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import type { WatchEvent } from '../../api/contract/transport.ts';
import { ApiError } from '../../api/errors/api-error.ts';
import { HttpTransport } from './http-node.ts';
import { ServerUnreachableError } from './server-unreachable.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A server that answers each request with `handle`, and a transport to it. */
async function serve(t: TestContext, handle: Handler): Promise<{ transport: HttpTransport; server: Server }> {
	const server = createServer(handle);
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	const address = server.address();
	assert.ok(typeof address === 'object' && address);
	const transport = new HttpTransport({ server: `http://127.0.0.1:${address.port}`, namespace: 'default' });
	t.after(() => {
		transport.close();
		server.closeAllConnections();
		server.close();
	});
	return { transport, server };
}

function json(response: ServerResponse, code: number, body: unknown): void {
	response.writeHead(code, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

const GET = { method: 'GET', path: '/api/v1/pods' } as const;

async function failure(act: Promise<unknown>): Promise<unknown> {
	return act.then(
		() => assert.fail('expected a rejection'),
		(error: unknown) => error,
	);
}

test('a request has method, path, query and body, and resolves to the frozen response with its warnings', async (t) => {
	const { transport } = await serve(t, async (request, response) => {
		const chunks: Buffer[] = [];
		for await (const chunk of request) chunks.push(chunk);
		response.setHeader('Warning', ['299 - "first \\"quoted\\", with comma"', '299 - "second"']);
		const { method, url, headers } = request;
		json(response, 201, {
			method,
			url,
			type: headers['content-type'],
			body: Buffer.concat(chunks).toString(),
		});
	});
	const { code, object, warnings } = await transport.request({
		method: 'POST',
		path: '/apis/batch/v1/namespaces/default/jobs',
		query: { fieldSelector: 'metadata.name=ä b' },
		body: { text: 'ü' },
	});
	assert.equal(code, 201);
	assert.deepEqual(object, {
		method: 'POST',
		url: '/apis/batch/v1/namespaces/default/jobs?fieldSelector=metadata.name%3D%C3%A4+b',
		type: 'application/json',
		body: '{"text":"ü"}',
	});
	assert.ok(Object.isFrozen(object));
	assert.deepEqual(warnings, ['first "quoted", with comma', 'second']);
});

/** A path for a socket in a folder of its own. */
function socketPath(t: TestContext): string {
	const folder = mkdtempSync(join(tmpdir(), 'stint-test-'));
	t.after(() => rmSync(folder, { recursive: true }));
	return join(folder, 'api.sock');
}

/** A server at a Unix socket that answers each request with its head, and a transport that may use it. */
async function serveLocally(t: TestContext): Promise<{ transport: HttpTransport; server: Server }> {
	const socket = socketPath(t);
	const server = createServer(({ method, url, headers }, response) =>
		json(response, 200, { method, url, host: headers.host, authorization: headers.authorization }),
	);
	server.listen(socket);
	await once(server, 'listening');
	const access = { server: 'https://127.0.0.1:1/base', namespace: 'default', token: 't' };
	const beforeTls = (): never => assert.fail('TLS');
	const transport = new HttpTransport(access, { socket, beforeTls });
	t.after(() => {
		transport.close();
		server.closeAllConnections();
		server.close();
	});
	return { transport, server };
}

test('requests to a Unix socket are those to the address, and load no TLS', async (t) => {
	const { transport } = await serveLocally(t);
	const { object } = await transport.request({ ...GET, query: { limit: '1' } });
	const [host, authorization] = ['127.0.0.1:1', 'Bearer t'];
	assert.deepEqual(object, { method: 'GET', url: '/base/api/v1/pods?limit=1', host, authorization });
});

test('the address is used once no server listens at the socket, also for a write', async (t) => {
	const { server } = await serve(t, (request, response) => json(response, 201, { method: request.method }));
	const address = server.address();
	assert.ok(typeof address === 'object' && address);
	const access = { server: `http://127.0.0.1:${address.port}`, namespace: 'default' };
	const transport = new HttpTransport(access, { socket: socketPath(t) });
	t.after(() => transport.close());
	const { object } = await transport.request({ ...GET, method: 'POST', body: {} });
	assert.deepEqual(object, { method: 'POST' });
});

test('a write is not repeated at the address once the socket has accepted it', async (t) => {
	let seen = 0;
	const { transport, server } = await serveLocally(t);
	server.removeAllListeners('request');
	server.on('request', (request) => {
		seen += 1;
		request.socket.destroy();
	});
	const error = await failure(transport.request({ ...GET, method: 'POST', body: {} }));
	assert.ok(error instanceof ServerUnreachableError);
	assert.equal(seen, 1);
});

test('the items of a list get the kind that upstream omits', async (t) => {
	const { transport } = await serve(t, (_request, response) =>
		json(response, 200, { kind: 'PodList', apiVersion: 'v1', items: [{ metadata: { name: 'p' } }] }),
	);
	const { object } = await transport.request(GET);
	assert.deepEqual(object, {
		kind: 'PodList',
		apiVersion: 'v1',
		items: [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } }],
	});
});

test('a Status rejects as an ApiError, and so does any other unsuccessful response', async (t) => {
	const status = {
		kind: 'Status',
		apiVersion: 'v1',
		metadata: {},
		status: 'Failure',
		reason: 'NotFound',
		message: 'pods "p" not found',
		code: 404,
	};
	const answers: Readonly<Record<string, Handler>> = {
		'/status': (_request, response) => json(response, 404, status),
		'/text': (_request, response) => response.writeHead(500).end('boom'),
		'/proxy': (_request, response) => response.writeHead(502, { 'Content-Type': 'text/html' }).end('<html>'),
		'/nothing': (_request, response) => response.writeHead(404).end(),
		'/login': (_request, response) => response.writeHead(401).end(),
		'/ok': (_request, response) => response.writeHead(200).end('not json'),
	};
	const { transport } = await serve(t, (request, response) =>
		answers[request.url ?? '']?.(request, response),
	);
	const errorAt = async (path: string): Promise<string> => {
		const error = await failure(transport.request({ method: 'GET', path }));
		assert.ok(error instanceof ApiError, String(error));
		return `${error.code} ${error.reason}: ${error.message}`;
	};
	assert.equal(await errorAt('/status'), '404 NotFound: pods "p" not found');
	assert.equal(
		await errorAt('/text'),
		'500 InternalError: an error on the server ("boom") has prevented the request from succeeding (get /text)',
	);
	assert.match(await errorAt('/proxy'), /^502 InternalError: an error on the server \("<html>"\)/);
	assert.equal(await errorAt('/nothing'), '404 NotFound: the server could not find the requested resource');
	assert.equal(
		await errorAt('/login'),
		'401 Unauthorized: the server has asked for the client to provide credentials',
	);
	assert.match(await errorAt('/ok'), /"not json"/);
});

test('when no server listens, the error says so and names the address', async () => {
	const transport = new HttpTransport({ server: 'http://127.0.0.1:1', namespace: 'default' });
	for (const act of [transport.request(GET), transport.stream(GET)]) {
		const error = await failure(act);
		assert.ok(error instanceof ServerUnreachableError);
		assert.equal(error.refused, true);
		assert.equal(
			error.message,
			'The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?',
		);
	}
});

test('a read is retried when the kept connection was closed, a write is not', async (t) => {
	let requests = 0;
	const { transport } = await serve(t, (request, response) => {
		requests += 1;
		// Every second request uses a connection that the server has closed.
		if (requests % 2 === 0) request.socket.destroy();
		else json(response, 200, { requests });
	});
	await transport.request(GET);
	assert.deepEqual((await transport.request(GET)).object, { requests: 3 });
	const error = await failure(transport.request({ ...GET, method: 'POST', body: {} }));
	assert.ok(error instanceof ServerUnreachableError);
	assert.equal(requests, 4);
});

test('an aborted request rejects with the AbortError', async (t) => {
	const { transport, server } = await serve(t, () => undefined);
	const abort = new AbortController();
	const error = failure(transport.request({ ...GET, signal: abort.signal }));
	await once(server, 'request');
	abort.abort();
	assert.ok(((await error) as Error).name === 'AbortError');
});

/** A watch that collects its events. */
async function watching(transport: HttpTransport): Promise<{
	readonly events: WatchEvent[];
	readonly ended: Promise<Error | undefined>;
	stop(): void;
}> {
	const events: WatchEvent[] = [];
	const ended = Promise.withResolvers<Error | undefined>();
	const watch = await transport.watch(GET, {
		events: (batch) => void events.push(...batch),
		ended: (error) => ended.resolve(error),
	});
	return { events, ended: ended.promise, stop: () => watch.stop() };
}

const EVENT = { type: 'ADDED', object: { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'pöd' } } };

test('a watch reports its events, however their bytes are split, until the server ends it', async (t) => {
	const { transport } = await serve(t, async (request, response) => {
		assert.match(request.url ?? '', /watch=true/);
		const bytes = Buffer.from(`${JSON.stringify(EVENT)}\n`.repeat(2));
		for (const byte of bytes) {
			response.write(Buffer.of(byte));
			await new Promise(setImmediate);
		}
		response.end();
	});
	const { events, ended } = await watching(transport);
	assert.equal(await ended, undefined);
	assert.deepEqual(events, [EVENT, EVENT]);
	assert.ok(Object.isFrozen(events[0]?.object));
});

test('an ERROR event ends the watch with its ApiError, after the events before it', async (t) => {
	const gone = {
		kind: 'Status',
		apiVersion: 'v1',
		metadata: {},
		status: 'Failure',
		reason: 'Expired',
		code: 410,
	};
	const lines = [EVENT, { type: 'ERROR', object: gone }, EVENT].map((line) => `${JSON.stringify(line)}\n`);
	const { transport } = await serve(t, (_request, response) => response.end(lines.join('')));
	const { events, ended } = await watching(transport);
	const error = await ended;
	assert.ok(error instanceof ApiError);
	assert.equal(error.code, 410);
	assert.equal(events.length, 1);
});

test('a refused watch rejects; a watch that breaks, is truncated or is malformed ends with an error', async (t) => {
	const answers: Readonly<Record<string, Handler>> = {
		refused: (_request, response) =>
			json(response, 410, { kind: 'Status', status: 'Failure', reason: 'Expired' }),
		broken: (_request, response) => {
			response.write(`${JSON.stringify(EVENT)}\n`);
			setImmediate(() => response.socket?.destroy());
		},
		cut: (_request, response) => response.end(`${JSON.stringify(EVENT)}\n{"type":"ADD`),
		nonsense: (_request, response) => response.end('<html>\n'),
	};
	let answer = 'refused';
	const { transport } = await serve(t, (request, response) => answers[answer]?.(request, response));
	const refusal = await failure(watching(transport));
	assert.ok(refusal instanceof ApiError && refusal.reason === 'Expired');
	answer = 'broken';
	assert.ok((await (await watching(transport)).ended) instanceof ServerUnreachableError);
	answer = 'cut';
	assert.ok((await (await watching(transport)).ended) instanceof ServerUnreachableError);
	answer = 'nonsense';
	assert.ok((await (await watching(transport)).ended) instanceof SyntaxError);
});

test('a stopped watch reports nothing more and closes its connection', async (t) => {
	const { transport, server } = await serve(t, (_request, response) => {
		response.write(`${JSON.stringify(EVENT)}\n`);
	});
	const opened = once(server, 'request');
	const { ended, stop } = await watching(transport);
	const [request] = await opened;
	const closed = once(request.socket, 'close');
	stop();
	await closed;
	assert.equal(await Promise.race([ended, Promise.resolve('silent')]), 'silent');
});

test('a stream yields bytes as they arrive, ends at an abort and fails when the connection breaks', async (t) => {
	const { transport } = await serve(t, (request, response) => {
		response.write('first\n');
		if (request.url?.includes('cut')) setImmediate(() => response.socket?.destroy());
	});
	const abort = new AbortController();
	const seen: string[] = [];
	for await (const chunk of await transport.stream({ ...GET, signal: abort.signal })) {
		seen.push(Buffer.from(chunk).toString());
		abort.abort();
	}
	assert.deepEqual(seen, ['first\n']);
	const cut = async (): Promise<void> => {
		for await (const _ of await transport.stream({ ...GET, path: '/cut' }));
	};
	await assert.rejects(cut, ServerUnreachableError);
});
