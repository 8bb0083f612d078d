import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { WebSocket } from 'ws';
import { closedBy, type Duplex } from '../../api/contract/duplex.ts';
import { CHANNEL_PROTOCOLS, isChannelProtocol } from '../../api/streams/channel-frames.ts';
import { WebSocketDuplex } from '../../api/streams/websocket-duplex.ts';

/** Where and how to open a two-way stream. */
export interface DuplexTarget {
	/** With `http:` or `https:`. */
	readonly url: URL;
	/** The path of the server's Unix socket, if the connection goes there. The URL has `http:` then. */
	readonly socket?: string;
	readonly headers: Readonly<Record<string, string>>;
	readonly tls: ConnectionOptions;
	readonly signal: AbortSignal | undefined;
	readonly limits: DuplexLimits;
}

/** Maximum times in milliseconds. */
export interface DuplexLimits {
	/** For opening the connection and the handshake. */
	readonly connectMs: number;
	/** For which the connection may be silent before a ping, and after it before it counts as dead. */
	readonly answerMs: number;
	/** Before the first TCP keep-alive probe on an idle connection. */
	readonly probeMs: number;
}

/** A server that has answered the request without upgrading the connection. */
export interface UpgradeRefusal {
	readonly response: IncomingMessage;
}

/** The largest message that a server may send. */
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024;

/**
 * Opens a two-way stream over a WebSocket. Resolves to the session, or to the response of a server that has
 * refused it; the caller reads its body. Rejects with the error of the connection, or the reason of the abort.
 */
export async function openDuplex(target: DuplexTarget): Promise<Duplex | UpgradeRefusal> {
	const { url, socket, headers, tls, signal, limits } = target;
	// Imported at the first session: few programs open one.
	const { WebSocket } = await import('ws');
	signal?.throwIfAborted();
	const address = new URL(url);
	address.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
	const webSocket = new WebSocket(address, [...CHANNEL_PROTOCOLS], {
		...tls,
		...(socket !== undefined && {
			createConnection: () => process.getBuiltinModule('node:net').connect(socket),
		}),
		headers,
		perMessageDeflate: false,
		maxPayload: MAX_MESSAGE_BYTES,
		handshakeTimeout: limits.connectMs,
	});
	const abort = (): void => webSocket.terminate();
	signal?.addEventListener('abort', abort, { once: true });
	let answer: Answer;
	try {
		answer = await answerOf(webSocket);
	} catch (error) {
		signal?.throwIfAborted();
		throw error;
	} finally {
		signal?.removeEventListener('abort', abort);
	}
	if (!answer.session) return answer;
	endWhenSilent(webSocket, answer.response.socket, limits);
	return closedBy(signal, answer.session);
}

interface Answer extends UpgradeRefusal {
	/** The session, if the server has accepted it. */
	readonly session: Duplex | undefined;
}

/** The head of the server's response: the WebSocket is open, or the server has refused it. */
function answerOf(webSocket: WebSocket): Promise<Answer> {
	return new Promise((resolve, reject) => {
		webSocket.once('upgrade', (response) => {
			webSocket.once('open', () => {
				const { protocol } = webSocket;
				// ws refuses a server that has chosen a sub-protocol that was not offered.
				if (!isChannelProtocol(protocol)) return reject(new Error(`unknown sub-protocol "${protocol}"`));
				// Made in the event: the first messages may arrive before a promise resolves.
				resolve({ response, session: new WebSocketDuplex(webSocket, { protocol, sendsEnds: true }) });
			});
		});
		webSocket.once('unexpected-response', (_, response) => resolve({ response, session: undefined }));
		webSocket.on('error', reject);
	});
}

/**
 * Closes a connection on which the server is silent: after the first silence it is asked by a ping, and after the
 * second one the connection counts as dead. While this end does not read, no answer can arrive.
 */
function endWhenSilent(webSocket: WebSocket, socket: Socket, { answerMs, probeMs }: DuplexLimits): void {
	let isAsked = false;
	const heard = (): void => {
		isAsked = false;
	};
	webSocket.on('message', heard).on('pong', heard).on('ping', heard);
	socket.setKeepAlive(true, probeMs);
	socket.setTimeout(answerMs, () => {
		if (isAsked && !webSocket.isPaused) return webSocket.terminate();
		isAsked = true;
		if (webSocket.readyState === webSocket.OPEN) webSocket.ping();
	});
}
