import type { WebSocket } from 'ws';
import { WINDOW_BYTES } from '../../api/streams/websocket-duplex.ts';
import type { SlowClient } from '../http/slow-clients.ts';
import { watchPeer } from './heartbeat.ts';
import type { SessionOptions } from './session-options.ts';

/** Watches over the client of a WebSocket until it is closed: pings it, and disconnects it if it does not answer. */
export function watchWebSocket(webSocket: WebSocket, { clock }: Pick<SessionOptions, 'clock'>): void {
	const { heard, stop } = watchPeer(
		{
			get isBusy() {
				return webSocket.isPaused || webSocket.bufferedAmount >= WINDOW_BYTES;
			},
			ping: () => {
				if (webSocket.readyState === webSocket.OPEN) webSocket.ping();
			},
			terminate: () => webSocket.terminate(),
		},
		clock,
	);
	webSocket.on('message', heard).on('pong', heard).on('ping', heard);
	webSocket.once('close', stop);
}

/** Returns the function that reports whether the client is slow; see WebSocketDuplexOptions.blocked. */
export function slownessOf(
	webSocket: WebSocket,
	{ slowClients }: Pick<SessionOptions, 'slowClients'>,
): (isBlocked: boolean) => void {
	const client: SlowClient = {
		get unreadBytes() {
			return webSocket.bufferedAmount;
		},
		disconnect: () => webSocket.terminate(),
	};
	return (isBlocked) => (isBlocked ? slowClients.add(client) : slowClients.remove(client));
}

/** Sends a message; resolves to true when there is room for more, and to false if the connection is closed. */
export async function sendTo(
	webSocket: WebSocket,
	message: Uint8Array | string,
	blocked: (isBlocked: boolean) => void,
): Promise<boolean> {
	if (webSocket.readyState !== webSocket.OPEN) return false;
	const written = new Promise<boolean>((resolve) => webSocket.send(message, (error) => resolve(!error)));
	if (webSocket.bufferedAmount < WINDOW_BYTES) return true;
	blocked(true);
	const isOpen = await written;
	blocked(false);
	return isOpen;
}
