import type { WebSocket } from 'ws';
import type { SessionOptions } from './session-options.ts';
import { sendTo, slownessOf, watchWebSocket } from './web-socket-peer.ts';

const NORMAL_CLOSURE = 1000;
const GOING_AWAY = 1001;
const INTERNAL_ERROR = 1011;

/**
 * Sends a log over a WebSocket, which is paused: each piece is a message, after an empty one that says that the log has
 * been opened (upstream: Reader in apimachinery/pkg/util/httpstream/wsstream). What the client sends is ignored.
 */
export async function sendLog(
	webSocket: WebSocket,
	pieces: AsyncIterable<Uint8Array>,
	options: SessionOptions & { readonly isBase64: boolean },
): Promise<void> {
	const { isBase64, stopping, onError } = options;
	const blocked = slownessOf(webSocket, options);
	watchWebSocket(webSocket, options);
	// The event `close` follows, with a code.
	webSocket.on('error', () => undefined);
	const stop = (): void => webSocket.close(GOING_AWAY, 'the server is stopping');
	stopping.addEventListener('abort', stop, { once: true });
	webSocket.once('close', () => stopping.removeEventListener('abort', stop));
	if (stopping.aborted) stop();
	webSocket.resume();
	try {
		if (!(await sendTo(webSocket, isBase64 ? '' : new Uint8Array(), blocked))) return;
		for await (const piece of pieces) {
			const message = isBase64 ? Buffer.from(piece).toString('base64') : piece;
			if (!(await sendTo(webSocket, message, blocked))) return;
		}
		webSocket.close(NORMAL_CLOSURE);
	} catch (error) {
		// Once the client has disconnected, an error may be a consequence of that, so it is not logged.
		if (webSocket.readyState === webSocket.OPEN) onError('log over a WebSocket', error);
		webSocket.close(INTERNAL_ERROR);
	}
}
