import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { assert } from '../base/assert.ts';
import { type Clock, sleep } from '../base/clock.ts';
import { RunQueue } from '../base/run-queue.ts';
import { Authentication } from './authentication.ts';
import { Connections } from './connections.ts';
import type { Credentials } from './credentials.ts';
import { isPublic } from './health.ts';
import { type ExchangeOptions, HttpExchange } from './http-exchange.ts';
import type { ApiServer } from './server.ts';
import { SharedLines } from './shared-lines.ts';
import { SlowClients } from './slow-clients.ts';

/** What a listener is made of. */
export interface ListenOptions {
	readonly server: ApiServer;
	readonly credentials: Credentials;
	/** 0: any that is free. */
	readonly port: number;
	readonly clock: Clock;
	/** How many connections may be open; by default what the process has descriptors for. */
	readonly mostConnections?: number;
	/** Told of faults that no request should meet; `where` says in which part. */
	readonly onError: (where: string, error: unknown) => void;
}

/** How long requests under way may take after `close`, before their connections are cut. */
const CLOSING_MS = 1000;

/** How long a client may take to send a request whole; answers may take as long as they like. */
const REQUEST_TIMEOUT_MS = 60_000;
const HEADERS_TIMEOUT_MS = 20_000;

/** Longer than Go's clients keep an idle connection (90 s), so that none is closed under a request. */
const KEEP_ALIVE_TIMEOUT_MS = 120_000;

/** How long a client may take to begin encryption. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/**
 * A connection on which nothing is sent for so long is probed by the system, each second then: a client that
 * is gone without a word (its machine slept, a tunnel broke) ends its watches ten seconds later.
 */
const PROBE_AFTER_MS = 30_000;

/** What Go's TLS takes by default: encryption that vouches for its text, and keys that are forgotten. */
const CIPHERS = [
	'TLS_AES_128_GCM_SHA256',
	'TLS_AES_256_GCM_SHA384',
	'TLS_CHACHA20_POLY1305_SHA256',
	'ECDHE-ECDSA-AES128-GCM-SHA256',
	'ECDHE-RSA-AES128-GCM-SHA256',
	'ECDHE-ECDSA-AES256-GCM-SHA384',
	'ECDHE-RSA-AES256-GCM-SHA384',
	'ECDHE-ECDSA-CHACHA20-POLY1305',
	'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/**
 * Serves the API over HTTPS (HTTP/1.1) on 127.0.0.1, and nowhere else. Rejects with the system's error
 * if the port cannot be had.
 */
export async function listen(options: ListenOptions): Promise<HttpListener> {
	const listener = new HttpListener(options);
	await listener.open(options.port);
	return listener;
}

/** An open listener. */
export class HttpListener {
	readonly #options: ListenOptions;
	readonly #exchangeOptions: ExchangeOptions;
	readonly #authentication: Authentication;
	readonly #server: Server;
	readonly #connections: Connections;
	/** The requests under way. */
	readonly #exchanges = new Set<HttpExchange>();
	#closing = false;

	constructor(options: ListenOptions) {
		const { certificatePem, keyPem, token } = options.credentials;
		this.#options = options;
		const { clock } = options;
		this.#exchangeOptions = {
			...options,
			queue: new RunQueue(clock),
			slowClients: new SlowClients(clock),
			sharedLines: new SharedLines(),
		};
		this.#authentication = new Authentication(token);
		this.#server = createServer(
			{
				cert: certificatePem,
				key: keyPem,
				minVersion: 'TLSv1.2',
				ciphers: CIPHERS,

				handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
				keepAlive: true,
				keepAliveInitialDelay: PROBE_AFTER_MS,
				ALPNProtocols: ['http/1.1'],
				requestTimeout: REQUEST_TIMEOUT_MS,
				headersTimeout: HEADERS_TIMEOUT_MS,
				keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
				noDelay: true,
			},
			(request, response) => this.#serve(request, response),
		);
		this.#connections = new Connections(options.mostConnections);
		this.#server.on('connection', (socket) => this.#connections.add(socket));
	}

	/** The port that it listens on. */
	get port(): number {
		const address = this.#server.address();
		assert(typeof address === 'object' && address !== null, 'the listener is not open');
		return address.port;
	}

	/** Where clients reach it. */
	get url(): string {
		return `https://127.0.0.1:${this.port}`;
	}

	/** Begins to listen; see {@link listen}. */
	open(port: number): Promise<void> {
		return new Promise((resolve, reject) => {
			this.#server.once('error', reject);
			this.#server.listen({ port, host: '127.0.0.1' }, () => {
				this.#server.off('error', reject);
				// A connection that cannot be accepted is no reason to stop the others.
				this.#server.on('error', (error) => this.#options.onError('listener', error));
				resolve();
			});
		});
	}

	/**
	 * Accepts no more connections, ends watches and logs, lets the other requests finish, and closes each
	 * connection after its request: a client that keeps sending requests must not delay the server's end.
	 */
	async close(): Promise<void> {
		this.#closing = true;
		const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
		for (const exchange of this.#exchanges) exchange.end();
		this.#server.closeIdleConnections();
		const done = new AbortController();
		await Promise.race([closed, sleep(this.#options.clock, CLOSING_MS, done.signal)]);
		done.abort();
		this.#server.closeAllConnections();
		await closed;
	}

	#serve(request: IncomingMessage, response: ServerResponse): void {
		if (this.#closing) response.shouldKeepAlive = false;
		const exchange = new HttpExchange(this.#exchangeOptions, request, response);
		this.#exchanges.add(exchange);
		const { socket } = request;
		const end = this.#connections.startRequest(socket);
		response.once('close', () => {
			end();
			this.#exchanges.delete(exchange);
			// The connection is idle only after this event.
			if (this.#closing) setImmediate(() => this.#server.closeIdleConnections());
		});
		const authenticate = (path: string): void => {
			const isOpen = isPublic(path);
			this.#authentication.check(request.headers, isOpen);
			if (!isOpen) this.#connections.markAuthenticated(socket);
		};
		exchange.serve(authenticate).catch((error: unknown) => {
			this.#options.onError('http', error);
			response.destroy();
		});
	}
}
