import type { IncomingMessage, Server as LocalServer, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { ListenOptions as AddressOptions, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ADMIN, type User } from '../../api/contract/user.ts';
import { assert } from '../../base/assert.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import { RunQueue } from '../../base/queue/run-queue.ts';
import { Authentication } from '../access/authentication.ts';
import { isPublic } from '../documents/health.ts';
import { isProxyPath } from '../proxy/proxy-target.ts';
import type { ApiServer } from '../server.ts';
import type { UpgradeRequest } from '../streams/session-options.ts';
import { isUpgradeTarget, Upgrades } from '../streams/upgrades.ts';
import { SERVICE_NAMES } from './certificates.ts';
import { Connections } from './connections.ts';
import type { Credentials } from './credentials.ts';
import { type ExchangeOptions, HttpExchange } from './exchange.ts';
import { openLocalSocket } from './local-socket.ts';
import { SharedLines } from './shared-lines.ts';
import { SlowClients } from './slow-clients.ts';
import { isRequestTimeout, refuseMessage } from './unfinished-requests.ts';

/** Options of {@link listen}. */
export interface ListenOptions {
	readonly server: ApiServer;
	readonly credentials: Credentials;
	/** The addresses of the Service by which Pods reach the server. */
	readonly serviceAddresses?: readonly string[];
	/** TCP port; 0 means any free one. */
	readonly port: number;
	readonly clock: Clock;
	/** Maximum number of open connections. By default as many as the process has file descriptors for. */
	readonly mostConnections?: number;
	/** How long a client may take to send a complete request. Default: a minute. Responses have no time limit. */
	readonly requestTimeoutMs?: number;
	/** Called with unexpected errors, which are logged; `where` names the component. */
	readonly onError: (where: string, error: unknown) => void;
}

/** How long `close` waits for running requests before it closes their connections. */
const CLOSING_MS = 1000;

/** The default of {@link ListenOptions.requestTimeoutMs}, and a limit for the headers alone. */
const REQUEST_TIMEOUT_MS = 60_000;
const HEADERS_TIMEOUT_MS = 20_000;

/** How often these are checked. */
const CHECK_MS = 30_000;

/**
 * Idle connections are kept longer than Go's clients keep them (90 s). Otherwise the server could close one
 * just as the client sends a request on it.
 */
const KEEP_ALIVE_TIMEOUT_MS = 120_000;

/** How long a TLS handshake may take. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/**
 * TCP keep-alive: after this idle time the kernel probes the connection each second. The watches of a client
 * that vanished without closing its connection (its machine slept, a tunnel broke) end ten seconds later.
 */
const PROBE_AFTER_MS = 30_000;

/** The default cipher suites of Go's TLS: authenticated encryption with forward secrecy. */
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
 * Opens a listener that serves the API over HTTPS (HTTP/1.1) on 127.0.0.1 only. Rejects with the system's
 * error if the port is not available.
 */
export async function listen(options: ListenOptions): Promise<HttpListener> {
	const listener = new HttpListener(options);
	await listener.open(options.port);
	return listener;
}

/** Settings of HTTP that do not depend on the kind of connection. */
function httpOptions({ requestTimeoutMs = REQUEST_TIMEOUT_MS }: ListenOptions) {
	return {
		requestTimeout: requestTimeoutMs,
		headersTimeout: Math.min(HEADERS_TIMEOUT_MS, requestTimeoutMs),
		connectionsCheckingInterval: Math.min(CHECK_MS, requestTimeoutMs),
		keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
		shouldUpgradeCallback: isUpgradeTarget,
	};
}

/** A listener; {@link listen} opens one. */
export class HttpListener {
	readonly #options: ListenOptions;
	readonly #exchangeOptions: ExchangeOptions;
	readonly #authentication: Authentication;
	readonly #server: Server;
	/** Serves the same API on a Unix socket. */
	#local: LocalServer | undefined;
	readonly #connections: Connections;
	readonly #upgrades: Upgrades;
	/** The requests that have not been answered. */
	readonly #exchanges = new Set<HttpExchange>();
	/** The latest of them on each connection. */
	readonly #latest = new WeakMap<Duplex, HttpExchange>();
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
		options.server.tokens.accept(token, ADMIN);
		this.#authentication = new Authentication(options.server.tokens, [
			...SERVICE_NAMES,
			...(options.serviceAddresses ?? []),
		]);
		this.#upgrades = new Upgrades(this.#exchangeOptions);
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
				noDelay: true,
				...httpOptions(options),
			},
			(request, response) => this.#serve(request, response),
		);
		this.#server.on('upgrade', (request, socket, head) => this.#upgrade({ request, socket, head }));
		this.#server.on('clientError', (error, socket) => this.#refuse(error, socket));
		this.#connections = new Connections(options.mostConnections);
		this.#server.on('connection', (socket) => this.#connections.add(socket));
	}

	/** All open servers: that of the address and that of the Unix socket. */
	get #servers(): readonly (Server | LocalServer)[] {
		return this.#local ? [this.#server, this.#local] : [this.#server];
	}

	/** The TCP port of the open listener. */
	get port(): number {
		const address = this.#server.address();
		assert(typeof address === 'object' && address !== null, 'the listener is not open');
		return address.port;
	}

	/** The URL of the server, for kubeconfigs. */
	get url(): string {
		return `https://127.0.0.1:${this.port}`;
	}

	/** Opens the listener; see {@link listen}. */
	open(port: number): Promise<void> {
		return new Promise((resolve, reject) => {
			this.#server.once('error', reject);
			this.#server.listen(addressAt(port), () => {
				this.#server.off('error', reject);
				// An error of accepting one connection is reported and does not stop the listener.
				this.#server.on('error', (error) => this.#options.onError('listener', error));
				resolve();
			});
		});
	}

	/**
	 * Serves the same API on a Unix socket too, without TLS, to processes of this user; see {@link openLocalSocket}
	 * for `path` and the result. The file system has authenticated its clients, so they need no token.
	 */
	async openLocal(path: string): Promise<string | undefined> {
		// An import of node:http would load the WebSocket client too (http-node-route.ts).
		const local = process
			.getBuiltinModule('node:http')
			.createServer(httpOptions(this.#options), (request, response) => this.#serve(request, response));
		local.on('upgrade', (request, socket, head) => this.#upgrade({ request, socket, head }));
		local.on('clientError', (error, socket) => this.#refuse(error, socket));
		local.on('connection', (socket) => this.#connections.addLocal(socket));
		const problem = await openLocalSocket(local, path);
		if (problem !== undefined) return problem;
		local.on('error', (error) => this.#options.onError('listener', error));
		this.#local = local;
		return undefined;
	}

	/**
	 * Stops accepting connections, ends watches and streams, and lets other requests finish for a second.
	 * Each connection is closed after its request: otherwise a client that keeps sending requests would delay
	 * the end of the server.
	 */
	async close(): Promise<void> {
		this.#closing = true;
		const closed = Promise.all(
			this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
		);
		for (const exchange of this.#exchanges) exchange.end();
		this.#upgrades.close();
		this.#closeIdleConnections();
		const done = new AbortController();
		await Promise.race([closed, sleep(this.#options.clock, CLOSING_MS, done.signal)]);
		done.abort();
		for (const server of this.#servers) server.closeAllConnections();
		this.#upgrades.destroy();
		await closed;
	}

	#closeIdleConnections(): void {
		for (const server of this.#servers) server.closeIdleConnections();
	}

	#serve(request: IncomingMessage, response: ServerResponse): void {
		if (this.#closing) response.shouldKeepAlive = false;
		const exchange = new HttpExchange(this.#exchangeOptions, request, response);
		this.#exchanges.add(exchange);
		const { socket } = request;
		this.#latest.set(socket, exchange);
		const end = this.#connections.startRequest(socket);
		response.once('close', () => {
			end();
			this.#exchanges.delete(exchange);
			if (this.#latest.get(socket) === exchange) this.#latest.delete(socket);
			// Node counts the connection as idle only after this event.
			if (this.#closing) setImmediate(() => this.#closeIdleConnections());
		});
		exchange
			.serve((path) => this.#authenticate(request, path))
			.catch((error: unknown) => {
				this.#options.onError('http', error);
				response.destroy();
			});
	}

	/** A request that is passed on to a Pod may take any time, as upstream; others must arrive in time. */
	#refuse(error: Error, socket: Duplex): void {
		const exchange = this.#latest.get(socket);
		if (exchange?.isProxied && isRequestTimeout(error)) return;
		refuseMessage(error, socket, exchange?.isAnswering ?? false);
	}

	#upgrade(upgrade: UpgradeRequest): void {
		const { headers, socket } = upgrade.request;
		const end = this.#connections.startRequest(socket);
		socket.once('close', end);
		const isLocal = this.#connections.isLocal(socket);
		void this.#upgrades.serve(upgrade, () =>
			this.#marked(socket, this.#authentication.authenticateUpgrade(headers, { isLocal })),
		);
	}

	#authenticate({ headers, socket }: IncomingMessage, path: string): User | Promise<User> {
		const isOpen = isPublic(path);
		const isLocal = this.#connections.isLocal(socket);
		if (isProxyPath(path))
			return this.#marked(socket, this.#authentication.authenticateProxied(headers, { isLocal }));
		const user = isLocal
			? this.#authentication.authenticateLocal(headers, isOpen)
			: this.#authentication.authenticate(headers, isOpen);
		return isOpen ? user : this.#marked(socket, user);
	}

	/** The user, whose connection counts as authenticated once the user is known. */
	#marked(socket: Socket, user: User | Promise<User>): User | Promise<User> {
		if (user instanceof Promise) return user.then((known) => this.#marked(socket, known));
		this.#connections.markAuthenticated(socket);
		return user;
	}
}

/**
 * The address to listen at. It is bound here if Node can do that (from version 26): the address of an ordinary
 * `listen` passes a regular expression for IPv6 addresses, which takes 4 ms of a start to compile.
 */
function addressAt(port: number): AddressOptions {
	const address = { host: '127.0.0.1', port };
	const net = process.getBuiltinModule('node:net');
	return 'BoundSocket' in net ? { handle: new net.BoundSocket(address) } : address;
}
