/**
 * The two-way streams of a listener: requests that upgrade their connection, to a WebSocket or to SPDY/3.1. Clients of
 * Kubernetes use both, and newer ones run SPDY inside a WebSocket.
 *
 * Read in this order: upgrades.ts (the life of an upgraded connection), handshake.ts (what a client asks for),
 * web-sockets.ts, channel-session.ts and log-session.ts (WebSockets with channels, and with a log), spdy-carrier.ts (the
 * connections under SPDY), spdy-command.ts (exec and attach), spdy-ports.ts (port-forward), heartbeat.ts.
 *
 * 1. A refused request receives an ordinary HTTP error with a Status, as on every other path. Nothing is started
 *    before the handshake is known to be valid.
 * 2. Each direction of a session has a window: a side that does not read stops the other one. {@link SlowClients}
 *    counts the output that waits, and disconnects clients that do not read it.
 * 3. The client's close ends the session, and with it the command. A client that has vanished is found by pings.
 */

import type { IncomingMessage } from 'node:http';
import type { Duplex as Connection } from 'node:stream';
import type { User } from '../../api/contract/user.ts';
import { methodNotAllowed, serviceUnavailable } from '../../api/errors/api-error.ts';
import { assert } from '../../base/assert.ts';
import { apiErrorOf } from '../errors.ts';
import { targetOf } from '../http/request-target.ts';
import { isProxyPath } from '../proxy/proxy-target.ts';
import type { Call } from '../request.ts';
import { parsePath } from '../route.ts';
import { SUBRESOURCES } from '../subresources/subresources.ts';
import { type ChannelOptions, joinChannels } from './channel-session.ts';
import { type Handshake, handshakeOf, type StreamKind } from './handshake.ts';
import { sendLog } from './log-session.ts';
import type { SessionOptions, UpgradeOptions, UpgradeRequest } from './session-options.ts';
import { overSocket, overWebSocket, type SpdyCarrier, spdyHead } from './spdy-carrier.ts';
import { joinCommand } from './spdy-command.ts';
import { joinPorts } from './spdy-ports.ts';
import { WebSockets } from './web-sockets.ts';

/** A session that has been opened for a client, before its connection is upgraded. */
interface Prepared {
	/** Upgrades the connection and serves the session until its end. Rejects if the client has disconnected. */
	serve(): Promise<void>;
	/** Ends the session when the connection cannot be upgraded. */
	cancel(): void;
}

/** How long a refused client may take to read the response. */
const REFUSAL_MS = 2000;

/**
 * Whether a request asks for a two-way stream, which needs an upgrade of its connection, or for a log over a WebSocket.
 * For all others, Node ignores a header Upgrade.
 */
export function isUpgradeTarget({ url = '', headers }: Pick<IncomingMessage, 'url' | 'headers'>): boolean {
	const [path = ''] = url.split('?', 1);
	if (isProxyPath(path)) return true;
	const kind = kindOf(path);
	return kind !== undefined && (kind !== 'log' || headers.upgrade?.toLowerCase() === 'websocket');
}

/** The kinds of the subresources that are streams. */
const KINDS: ReadonlyMap<string, StreamKind | undefined> = new Map(
	SUBRESOURCES.filter(({ proxy }) => !proxy).map(({ name, duplex, ports, stream }) => {
		return [name, ports ? 'ports' : duplex ? 'command' : stream ? 'log' : undefined];
	}),
);

function kindOf(path: string): StreamKind | undefined {
	if (!KINDS.has(path.slice(path.lastIndexOf('/') + 1))) return undefined;
	try {
		return KINDS.get(parsePath(path)?.subresource ?? '');
	} catch {
		return undefined;
	}
}

/** See the header of this file. */
export class Upgrades {
	readonly #options: UpgradeOptions;
	/** The connections from the request until they are closed. */
	readonly #connections = new Set<Connection>();
	/** Aborts when the server stops. */
	readonly #stopping = new AbortController();
	readonly #webSockets = new WebSockets();

	constructor(options: UpgradeOptions) {
		this.#options = options;
	}

	/** Closes all sessions and refuses new ones. {@link destroy} closes the connections that are left. */
	close(): void {
		this.#stopping.abort();
	}

	/** Closes all connections at once. */
	destroy(): void {
		for (const connection of this.#connections) connection.destroy();
	}

	/**
	 * Serves a request until its session has ended. Calls `authenticate`, which returns the user, or throws an ApiError
	 * (or rejects with one). Never rejects.
	 */
	async serve(upgrade: UpgradeRequest, authenticate: () => User | Promise<User>): Promise<void> {
		const { socket, request } = upgrade;
		/** Aborts if the client disconnects before the handshake; after it, the session learns of it. */
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
			const { path, query } = targetOf(request);
			const user = await authenticate();
			const call = callOf({ user, path, query, method: request.method, signal: gone.signal });
			if (this.#stopping.signal.aborted) throw serviceUnavailable('the server is stopping');
			if (isProxyPath(path)) {
				await this.#proxy(upgrade, call, gone.signal);
				return;
			}
			const kind = kindOf(path) ?? 'command';
			const prepared = await this.#prepare(upgrade, call, kind);
			isOpen = kind !== 'log';
			try {
				await prepared.serve();
			} catch (error) {
				prepared.cancel();
				throw error;
			}
		} catch (error) {
			this.#refuse(socket, error);
		}
	}

	/** Passes the request on to a Pod, which speaks the other protocol. */
	async #proxy(upgrade: UpgradeRequest, call: Call, gone: AbortSignal): Promise<void> {
		const { target, end } = await this.#options.server.openProxy(call);
		const { proxyUpgrade } = await import('../proxy/proxy-upgrade.ts');
		try {
			end(await proxyUpgrade(target, upgrade, { gone, stopping: this.#stopping.signal }));
		} catch (error) {
			end(500);
			throw error;
		}
	}

	/** Opens the session. Its request is checked before the handshake, so that the more useful error comes first. */
	async #prepare(upgrade: UpgradeRequest, call: Call, kind: StreamKind): Promise<Prepared> {
		const handshake = checked(() => handshakeOf(upgrade.request, kind));
		const check = (): void => {
			if (handshake.type === 'refused') throw handshake.error;
		};
		if (kind === 'log') check();
		if (handshake.type === 'log') return this.#log(upgrade, call, handshake);
		if (handshake.type === 'channels') return this.#channels(upgrade, call, { ...handshake, kind });
		const { server } = this.#options;
		const carrier = async (): Promise<SpdyCarrier> => {
			check();
			assert(handshake.type === 'spdy', 'the handshake is that of a session');
			return this.#carrier(upgrade, handshake);
		};
		if (kind === 'ports') {
			const ports = await server.openPorts(call, check);
			return {
				serve: async () => joinPorts(await carrier(), ports, this.#session),
				cancel: () => ports.end(),
			};
		}
		const session = await server.openDuplex(call, check);
		return {
			serve: async () => joinCommand(await carrier(), session, { ...this.#session, query: call.query }),
			cancel: () => session.close(),
		};
	}

	async #channels(
		upgrade: UpgradeRequest,
		call: Call,
		chosen: Pick<ChannelOptions, 'protocol' | 'kind'>,
	): Promise<Prepared> {
		const session = await this.#options.server.openDuplex(call, () => undefined);
		const options = { ...this.#session, ...chosen, query: call.query };
		return {
			serve: async () => joinChannels(await this.#webSockets.open(upgrade, chosen.kind), session, options),
			cancel: () => session.close(),
		};
	}

	async #log(
		upgrade: UpgradeRequest,
		call: Call,
		{ isBase64 }: Extract<Handshake, { readonly type: 'log' }>,
	): Promise<Prepared> {
		const pieces = await this.#options.server.openStream(call);
		return {
			serve: async () =>
				sendLog(await this.#webSockets.open(upgrade, 'log'), pieces, { ...this.#session, isBase64 }),
			cancel: () => undefined,
		};
	}

	/** The connection under SPDY, after the answer of the handshake. */
	async #carrier(
		upgrade: UpgradeRequest,
		handshake: Extract<Handshake, { readonly type: 'spdy' }>,
	): Promise<SpdyCarrier> {
		if (handshake.isTunnel)
			return overWebSocket(await this.#webSockets.open(upgrade, 'ports'), this.#session);
		const { socket, head } = upgrade;
		if (!socket.readable || !socket.writable) throw serviceUnavailable('the client has disconnected');
		socket.write(spdyHead(handshake.protocol));
		if (head.length > 0) socket.unshift(head);
		return overSocket(socket, this.#session);
	}

	get #session(): SessionOptions {
		return { ...this.#options, stopping: this.#stopping.signal };
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

function callOf({
	method,
	...given
}: Pick<Call, 'user' | 'path' | 'query' | 'signal'> & { readonly method: string | undefined }): Call {
	if (method !== 'GET' && method !== 'POST') throw methodNotAllowed();
	return { ...given, method, body: undefined, contentType: '', accept: '', warnings: [] };
}

/** A handshake that cannot be accepted, as a value. */
function checked(act: () => Handshake): Handshake | { readonly type: 'refused'; readonly error: unknown } {
	try {
		return act();
	} catch (error) {
		return { type: 'refused', error };
	}
}
