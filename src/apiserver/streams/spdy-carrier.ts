import type { Duplex as Connection } from 'node:stream';
import type { WebSocket } from 'ws';
import { socketConnection } from '../../base/spdy/socket-connection.ts';
import { type SpdyConnection, SpdySession } from '../../base/spdy/spdy-session.ts';
import type { SpdyStream } from '../../base/spdy/spdy-stream.ts';
import type { SlowClient } from '../http/slow-clients.ts';
import { watchPeer } from './heartbeat.ts';
import type { SessionOptions } from './session-options.ts';
import { sendTo, slownessOf, watchWebSocket } from './web-socket-peer.ts';

/** An upgraded connection on which no session of SPDY has been started yet. */
export interface SpdyCarrier {
	/** Starts the session; see SpdySessionOptions.accept. */
	start(accept: (stream: SpdyStream) => boolean): SpdySession;
}

/** How long a client may take to close its end of the connection after the server has closed its own. */
const CLOSING_MS = 2000;

/** The answer to a handshake that is accepted. */
export function spdyHead(protocol: string): string {
	const head = [
		'HTTP/1.1 101 Switching Protocols',
		'Connection: Upgrade',
		'Upgrade: SPDY/3.1',
		`X-Stream-Protocol-Version: ${protocol}`,
	];
	return `${head.join('\r\n')}\r\n\r\n`;
}

/** SPDY directly on the connection of the request. */
export function overSocket(socket: Connection, options: SessionOptions): SpdyCarrier {
	return {
		start: (accept) => {
			const session = new SpdySession({
				isServer: true,
				accept,
				connection: connectionOf(socket, options),
			});
			const { heard, stop } = watchPeer(
				{
					get isBusy() {
						return session.isPaused || socket.writableNeedDrain;
					},
					ping: () => session.ping(),
					terminate: () => socket.destroy(),
				},
				options.clock,
			);
			socket.on('data', (bytes: Uint8Array) => {
				heard();
				session.receive(bytes);
			});
			// A client that closes one direction has left.
			socket.once('end', () => {
				session.lose();
				socket.end();
			});
			socket.once('close', () => {
				stop();
				session.lose('the connection was lost');
			});
			if (socket.destroyed) session.lose('the connection was lost');
			return session;
		},
	};
}

function connectionOf(socket: Connection, { clock, slowClients }: SessionOptions): SpdyConnection {
	const client: SlowClient = {
		get unreadBytes() {
			return socket.writableLength;
		},
		disconnect: () => void socket.destroy(),
	};
	return socketConnection(socket, {
		blocked: (isBlocked) => (isBlocked ? slowClients.add(client) : slowClients.remove(client)),
		ended: () => {
			// Closing at once would reset a connection on which the client still sends, and it would lose the last output.
			const timer = clock.setTimer(CLOSING_MS, () => socket.destroy());
			socket.once('close', () => timer.cancel());
		},
	});
}

/** SPDY inside a WebSocket, which is paused: its messages are pieces of the bytes of SPDY. */
export function overWebSocket(webSocket: WebSocket, options: SessionOptions): SpdyCarrier {
	return {
		start: (accept) => {
			const blocked = slownessOf(webSocket, options);
			const connection: SpdyConnection = {
				write: (bytes) => sendTo(webSocket, bytes, blocked),
				pause: () => webSocket.pause(),
				resume: () => webSocket.resume(),
				end: () => webSocket.close(NORMAL_CLOSURE),
			};
			const session = new SpdySession({ isServer: true, accept, connection });
			watchWebSocket(webSocket, options);
			webSocket.on('message', (data) => {
				if (data instanceof Uint8Array) session.receive(data);
			});
			// The event `close` follows.
			webSocket.on('error', () => undefined);
			webSocket.once('close', () => session.lose());
			webSocket.resume();
			return session;
		},
	};
}

const NORMAL_CLOSURE = 1000;
