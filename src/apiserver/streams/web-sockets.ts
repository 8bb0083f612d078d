import type { IncomingMessage } from 'node:http';
import type { WebSocket, WebSocketServer } from 'ws';
import { serviceUnavailable } from '../../api/errors/api-error.ts';
import { MAX_BODY_BYTES } from '../http/exchange.ts';
import { offeredBy, type StreamKind, subProtocolOf, TUNNEL_PROTOCOL } from './handshake.ts';
import type { UpgradeRequest } from './session-options.ts';

/** Upgrades connections to WebSockets. */
export class WebSockets {
	/** The requests whose WebSocket carries SPDY. */
	readonly #tunnels = new WeakSet<IncomingMessage>();
	readonly #servers = new Map<StreamKind, Promise<WebSocketServer>>();

	/**
	 * Answers a handshake that is known to be valid. Resolves to the WebSocket, paused: messages of the client may follow
	 * before the caller has it. Rejects if the client has disconnected.
	 */
	async open({ request, socket, head }: UpgradeRequest, kind: StreamKind): Promise<WebSocket> {
		const known = this.#servers.get(kind);
		const loading = known ?? loadServer(kind, this.#tunnels);
		if (!known) this.#servers.set(kind, loading);
		const server = await loading;
		const { headers } = request;
		// ws accepts names of sub-protocols only that are tokens, and that of the tunnel has a slash. So ws does not see it,
		// and the answer gets it when ws has written its own headers.
		if (subProtocolOf(offeredBy(request), kind) === TUNNEL_PROTOCOL) {
			this.#tunnels.add(request);
			delete headers['sec-websocket-protocol'];
		}
		return new Promise((resolve, reject) => {
			// ws answers a handshake that it does not accept by itself, and then calls nothing.
			socket.once('close', () => reject(serviceUnavailable('the client has disconnected')));
			// If the client has disconnected meanwhile, there is no WebSocket, and the session must end nevertheless.
			if (!socket.readable || !socket.writable) throw serviceUnavailable('the client has disconnected');
			server.handleUpgrade(request, socket, head, (webSocket) => {
				webSocket.pause();
				resolve(webSocket);
			});
		});
	}
}

/** Imported at the first session: most servers never have one. */
async function loadServer(
	kind: StreamKind,
	tunnels: Pick<WeakSet<IncomingMessage>, 'has'>,
): Promise<WebSocketServer> {
	const { WebSocketServer } = await import('ws');
	const server = new WebSocketServer({
		noServer: true,
		clientTracking: false,
		// Upstream does not compress either, and a compressed message could be far larger than its limit.
		perMessageDeflate: false,
		maxPayload: MAX_BODY_BYTES,
		handleProtocols: (offered) => subProtocolOf(offered, kind) ?? false,
	});
	return server.on('headers', (lines, request) => {
		if (tunnels.has(request)) lines.push(`Sec-WebSocket-Protocol: ${TUNNEL_PROTOCOL}`);
	});
}
