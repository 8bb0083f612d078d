import type { IncomingMessage } from 'node:http';
import type { Duplex as Connection } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';
import type { Duplex } from '../../api/contract/duplex.ts';
import type { User } from '../../api/contract/user.ts';
import { badRequest, methodNotAllowed, serviceUnavailable } from '../../api/errors/api-error.ts';
import {
	CHANNEL_PROTOCOLS,
	type ChannelProtocol,
	isChannelProtocol,
} from '../../api/streams/channel-frames.ts';
import { WebSocketDuplex } from '../../api/streams/websocket-duplex.ts';
import { apiErrorOf } from '../errors.ts';
import type { Call } from '../request.ts';
import { parsePath } from '../route.ts';
import { SUBRESOURCES } from '../subresources/subresources.ts';
import { type ExchangeOptions, MAX_BODY_BYTES, targetOf } from './exchange.ts';
import { watchPeer } from './heartbeat.ts';

/** A request to upgrade its connection. */
export interface UpgradeRequest {
	readonly request: IncomingMessage;
	/** The connection, which belongs to the receiver from now on. */
	readonly socket: Connection;
	/** The bytes that have been read after the request. */
	readonly head: Buffer;
}

type UpgradeOptions = Pick<ExchangeOptions, 'server' | 'clock' | 'slowClients' | 'onError'>;

/** How long a refused client may take to read the response. */
const REFUSAL_MS = 2000;

/**
 * Whether a request asks for a two-way stream, which needs an upgrade of its connection. For all others, Node
 * ignores a header Upgrade.
 */
export function isUpgradeTarget(url = ''): boolean {
	const [path = ''] = url.split('?', 1);
	if (!NAMES.some((name) => path.endsWith(`/${name}`))) return false;
	try {
		return NAMES.includes(parsePath(path)?.subresource ?? '');
	} catch {
		return false;
	}
}

/** The subresources that are two-way streams. */
const NAMES = SUBRESOURCES.filter(({ duplex }) => duplex).map(({ name }) => name);

/**
 * The two-way streams of a listener: the requests that upgrade their connection to a WebSocket, with the
 * sub-protocols of api/streams/channel-frames.ts.
 *
 * 1. A refused request receives an ordinary HTTP error with a Status, as on every other path. Nothing is started
 *    before the handshake is known to be valid.
 * 2. Each direction of a session has a window: a side that does not read stops the other one. {@link SlowClients}
 *    counts the output that waits, and disconnects clients that do not read it.
 * 3. The client's close ends the session, and with it the command. A client that has vanished is found by pings.
 */
export class Upgrades {
	readonly #options: UpgradeOptions;
	/** The connections from the request until they are closed. */
	readonly #connections = new Set<Connection>();
	readonly #sessions = new Set<WebSocketDuplex>();
	#protocols: Promise<WebSocketServer> | undefined;
	#isClosing = false;

	constructor(options: UpgradeOptions) {
		this.#options = options;
	}

	/** Closes all sessions and refuses new ones. {@link destroy} closes the connections that are left. */
	close(): void {
		this.#isClosing = true;
		const reason = { type: 'failed', message: 'the server is stopping' } as const;
		for (const session of this.#sessions) session.close(reason);
	}

	/** Closes all connections at once. */
	destroy(): void {
		for (const connection of this.#connections) connection.destroy();
	}

	/**
	 * Serves a request until its session has ended. Calls `authenticate` with the path; it returns the user, or
	 * throws an ApiError (or rejects with one). Never rejects.
	 */
	async serve(upgrade: UpgradeRequest, authenticate: (path: string) => User | Promise<User>): Promise<void> {
		const { socket } = upgrade;
		/** Aborts if the client disconnects before the handshake; after it, the WebSocket reports the close. */
		const gone = new AbortController();
		let isOpen = false;
		this.#connections.add(socket);
		// A client that closes its connection is not an error of the server.
		socket.on('error', () => undefined);
		socket.once('close', () => {
			this.#connections.delete(socket);
			if (!isOpen) gone.abort();
		});
		try {
			const { path, query } = targetOf(upgrade.request);
			const user = await authenticate(path);
			const { method } = upgrade.request;
			const call = callOf({ user, path, query, method, signal: gone.signal });
			const { client, session } = await this.#open(upgrade, call);
			isOpen = true;
			await this.#join(client, session);
		} catch (error) {
			this.#refuse(socket, error);
		}
	}

	async #open(upgrade: UpgradeRequest, call: Call): Promise<Opened> {
		if (this.#isClosing) throw serviceUnavailable('the server is stopping');
		let protocol: ChannelProtocol = CHANNEL_PROTOCOLS[0];
		const session = await this.#options.server.openDuplex(call, () => {
			protocol = protocolOf(upgrade.request);
		});
		try {
			return { client: await this.#handshake(upgrade, protocol), session };
		} catch (error) {
			session.close();
			throw error;
		}
	}

	async #handshake(
		{ request, socket, head }: UpgradeRequest,
		protocol: ChannelProtocol,
	): Promise<WebSocketDuplex> {
		this.#protocols ??= loadProtocols();
		const protocols = await this.#protocols;
		return new Promise((resolve, reject) => {
			// ws answers a handshake that it does not accept by itself, and then calls nothing.
			socket.once('close', () => reject(serviceUnavailable('the client has disconnected')));
			// If the client has disconnected meanwhile, there is no WebSocket, and the session must end nevertheless.
			if (!socket.readable || !socket.writable) throw serviceUnavailable('the client has disconnected');
			// Made in the callback: messages of the client may follow before a promise resolves.
			protocols.handleUpgrade(request, socket, head, (webSocket) =>
				resolve(this.#client(webSocket, protocol)),
			);
		});
	}

	#client(webSocket: WebSocket, protocol: ChannelProtocol): WebSocketDuplex {
		const { clock, slowClients } = this.#options;
		const slowClient = {
			get unreadBytes() {
				return webSocket.bufferedAmount;
			},
			disconnect: () => webSocket.terminate(),
		};
		const client = new WebSocketDuplex(webSocket, {
			protocol,
			sendsEnds: false,
			blocked: (isBlocked) => (isBlocked ? slowClients.add(slowClient) : slowClients.remove(slowClient)),
		});
		watchPeer(webSocket, clock);
		return client;
	}

	/** Connects both sides until either closes its own. */
	async #join(client: WebSocketDuplex, session: Duplex): Promise<void> {
		this.#sessions.add(client);
		void client.closed.then((reason) => session.close(reason));
		if (this.#isClosing) this.close();
		await Promise.all([
			forward(client, session),
			forward(session, client).then(async () => client.close(await session.closed)),
		]);
		this.#sessions.delete(client);
	}

	#refuse(socket: Connection, error: unknown): void {
		if (socket.destroyed) return;
		const known = apiErrorOf(error, (fault) => this.#options.onError('http upgrade', fault));
		const { code, status } = known;
		const body = JSON.stringify(status);
		// An import of node:http would load the WebSocket client too, 8 ms of each start (http-node.ts).
		const { STATUS_CODES } = process.getBuiltinModule('node:http');
		const head = [
			`HTTP/1.1 ${code} ${STATUS_CODES[code] ?? ''}`,
			'content-type: application/json',
			'cache-control: no-cache, private',
			'x-content-type-options: nosniff',
			`content-length: ${Buffer.byteLength(body)}`,
			'connection: close',
		];
		const timer = this.#options.clock.setTimer(REFUSAL_MS, () => socket.destroy());
		socket.once('close', () => timer.cancel());
		socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
	}
}

/** Sends what `from` receives to `to` until either is closed. */
async function forward(from: Duplex, to: Duplex): Promise<void> {
	for (;;) {
		const message = await from.receive();
		if (!message || !(await to.send(message))) return;
	}
}

/** The two sides of a session. */
interface Opened {
	readonly client: WebSocketDuplex;
	readonly session: Duplex;
}

function callOf({
	method,
	...given
}: Pick<Call, 'user' | 'path' | 'query' | 'signal'> & { readonly method: string | undefined }): Call {
	if (method !== 'GET' && method !== 'POST') throw methodNotAllowed();
	return { ...given, method, body: undefined, contentType: '', accept: '', warnings: [] };
}

/**
 * The sub-protocol of a valid handshake: the first that the client offers and the server has. Throws BadRequest for
 * any other handshake; ws would refuse it with a text instead of a Status. kubectl tries SPDY after a refusal, so
 * it receives the message that says why.
 */
function protocolOf({ method, headers }: IncomingMessage): ChannelProtocol {
	if (headers.upgrade?.toLowerCase() !== 'websocket' || method !== 'GET')
		throw badRequest('unable to upgrade: only WebSocket is supported, with the method GET');
	const version = headers['sec-websocket-version'] ?? '';
	if (version !== '13') throw badRequest('unable to upgrade: the version of WebSocket must be 13');
	if (!/^[+/0-9A-Za-z]{22}==$/.test(headers['sec-websocket-key'] ?? ''))
		throw badRequest('unable to upgrade: the header Sec-WebSocket-Key is missing or invalid');
	const offered = headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? [];
	if (offered.some((name) => !TOKEN.test(name)) || new Set(offered).size < offered.length)
		throw badRequest('unable to upgrade: the header Sec-WebSocket-Protocol is invalid');
	const protocol = offered.find(isChannelProtocol);
	if (protocol) return protocol;
	throw badRequest(`unable to upgrade: the sub-protocol must be one of ${CHANNEL_PROTOCOLS.join(', ')}`);
}

/** A name in a header, as RFC 9110 has it. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Imported at the first session: most servers never have one. */
async function loadProtocols(): Promise<WebSocketServer> {
	const { WebSocketServer } = await import('ws');
	return new WebSocketServer({
		noServer: true,
		clientTracking: false,
		// Upstream does not compress either, and a compressed message could be far larger than its limit.
		perMessageDeflate: false,
		maxPayload: MAX_BODY_BYTES,
		handleProtocols: (offered) => [...offered].find(isChannelProtocol) ?? false,
	});
}
