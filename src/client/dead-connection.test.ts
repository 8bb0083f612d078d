import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { connect, createServer as createProxy, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { pods } from '../api/core/pod/definition.ts';
import { SystemClock } from '../base/clock.ts';
import { Client } from './client.ts';
import { Informer } from './informer.ts';
import { HttpTransport, type Limits } from './transport/http-node.ts';
import { ServerUnreachableError } from './transport/server-unreachable.ts';

/** A proxy that can simulate a hanging server: connections stay open, and no data arrives. */
class SilentProxy {
	readonly #sockets = new Set<Socket>();
	readonly #target: number;
	#silent = false;
	url = '';
	/** The number of connections that clients have opened. */
	connections = 0;

	constructor(target: number) {
		this.#target = target;
	}

	async open(t: TestContext): Promise<void> {
		const proxy = createProxy((client) => this.#serve(client)).listen(0, '127.0.0.1');
		await once(proxy, 'listening');
		this.url = `http://127.0.0.1:${portOf(proxy)}`;
		t.after(() => {
			proxy.close();
			for (const socket of this.#sockets) socket.destroy();
		});
	}

	/** Stops forwarding on the open connections, and on new connections too unless `newOnes` is set. */
	fallSilent({ newOnes = false } = {}): void {
		this.#silent = !newOnes;
		for (const socket of this.#sockets) {
			socket.unpipe();
			socket.pause();
		}
	}

	#serve(client: Socket): void {
		this.connections += 1;
		this.#keep(client);
		if (this.#silent) return;
		const server = connect(this.#target, '127.0.0.1');
		this.#keep(server);
		client.pipe(server);
		server.pipe(client);
	}

	#keep(socket: Socket): void {
		this.#sockets.add(socket);
		socket.on('error', () => undefined);
		socket.on('close', () => this.#sockets.delete(socket));
	}
}

function portOf(server: { address(): unknown }): number {
	const address = server.address();
	assert.ok(typeof address === 'object' && address && 'port' in address);
	return Number(address.port);
}

/** A transport to a server, which answers each request with `handle`, through a proxy that can fall silent. */
async function open(t: TestContext, handle: RequestListener, limits: Partial<Limits>) {
	const server = createServer(handle).listen(0, '127.0.0.1');
	await once(server, 'listening');
	const proxy = new SilentProxy(portOf(server));
	await proxy.open(t);
	const transport = new HttpTransport({ server: proxy.url, namespace: 'default' }, { limits });
	t.after(() => {
		transport.close();
		server.closeAllConnections();
		server.close();
	});
	return { transport, proxy };
}

/** Longer than a server on a busy machine takes to answer. */
const SILENCE_MS = 400;

const LIST = { kind: 'PodList', apiVersion: 'v1', metadata: { resourceVersion: '5' }, items: [] };
const BOOKMARK = {
	type: 'BOOKMARK',
	object: { kind: 'Pod', apiVersion: 'v1', metadata: { resourceVersion: '6' } },
};
const GET = { method: 'GET', path: '/api/v1/pods' } as const;

/** Answers lists at once, and starts watches with a bookmark. */
const answer: RequestListener = (request, response) => {
	if (request.url?.includes('watch=true')) response.write(`${JSON.stringify(BOOKMARK)}\n`);
	else response.end(JSON.stringify(LIST));
};

function isSilence(error: unknown): boolean {
	assert.ok(error instanceof ServerUnreachableError, String(error));
	assert.match(error.message, /^Unable to connect to the server: no answer for 0\.4 s$/);
	return true;
}

test('a request fails when its server falls silent, on a new connection and on a kept one', async (t) => {
	const { transport, proxy } = await open(t, answer, { answerMs: SILENCE_MS });
	await transport.request(GET);
	proxy.fallSilent();
	await assert.rejects(transport.request({ ...GET, method: 'POST', body: {} }), isSilence);
	assert.equal(proxy.connections, 1);
	// The transport retries a read on another connection.
	await assert.rejects(transport.request(GET), isSilence);
	assert.equal(proxy.connections, 2);
});

test('a response that stops in the middle fails', async (t) => {
	const { transport } = await open(t, (_request, response) => void response.write('{"kind":'), {
		answerMs: SILENCE_MS,
	});
	await assert.rejects(transport.request(GET), isSilence);
});

test('a watch with bookmarks fails when none arrives; a watch without them, and a log, may be silent', async (t) => {
	const { transport, proxy } = await open(t, answer, { answerMs: SILENCE_MS, watchMs: SILENCE_MS });
	const ended = Promise.withResolvers<Error | undefined>();
	const sink = { events: () => undefined, ended: (error?: Error) => ended.resolve(error) };
	const quiet = { events: () => undefined, ended: () => assert.fail('a watch that may be silent ended') };
	const own = await transport.watch({ ...GET, query: { watch: 'true' } }, quiet);
	const log = await transport.stream({ ...GET, query: { watch: 'true' } });
	const pieces = log[Symbol.asyncIterator]();
	await pieces.next();
	const next = pieces.next();
	next.then(
		() => assert.fail('a log that may be silent ended'),
		() => undefined,
	);
	await transport.watch({ ...GET, query: { allowWatchBookmarks: 'true' } }, sink);
	proxy.fallSilent();
	isSilence(await ended.promise);
	own.stop();
});

test('an informer on a dead connection opens another one and receives the changes', async (t) => {
	const { transport, proxy } = await open(t, answer, { watchMs: SILENCE_MS });
	const errors: unknown[] = [];
	const silence = Promise.withResolvers<void>();
	const informer = new Informer(new Client(transport).resource(pods), {
		clock: new SystemClock({ keepsAlive: true }),
		onError: (error) => {
			errors.push(error);
			silence.resolve();
		},
	});
	const stop = new AbortController();
	const running = informer.run(stop.signal);
	await informer.reached('6');
	const before = proxy.connections;
	proxy.fallSilent({ newOnes: true });
	await silence.promise;
	isSilence(errors[0]);
	while (proxy.connections === before) await new Promise((resolve) => setImmediate(resolve));
	stop.abort();
	await running;
});

test('an informer that is stopped while its server is silent ends at once', async (t) => {
	for (const query of ['list', 'watch']) {
		const requested = Promise.withResolvers<void>();
		const { transport } = await open(
			t,
			(request, response) => {
				if (query === 'watch' && !request.url?.includes('watch=true')) response.end(JSON.stringify(LIST));
				else requested.resolve();
			},
			{},
		);
		const informer = new Informer(new Client(transport).resource(pods), {
			clock: new SystemClock(),
			onError: (error) => assert.fail(String(error)),
		});
		const stop = new AbortController();
		const running = informer.run(stop.signal);
		await requested.promise;
		stop.abort();
		await running;
	}
});

test('an informer requests bookmarks, and watches that end after five to ten minutes', async (t) => {
	const requested = Promise.withResolvers<URLSearchParams>();
	const { transport } = await open(
		t,
		(request, response) => {
			const { searchParams } = new URL(request.url ?? '', 'http://server');
			if (searchParams.get('watch') === 'true') requested.resolve(searchParams);
			else response.end(JSON.stringify(LIST));
		},
		{},
	);
	const random = { next: () => 0.75, uuid: () => '' };
	const informer = new Informer(new Client(transport).resource(pods), { clock: new SystemClock(), random });
	const stop = new AbortController();
	const running = informer.run(stop.signal);
	const parameters = await requested.promise;
	assert.equal(parameters.get('timeoutSeconds'), '525');
	assert.equal(parameters.get('allowWatchBookmarks'), 'true');
	stop.abort();
	await running;
});
