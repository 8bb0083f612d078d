import type { WebSocket } from 'ws';
import { WINDOW_BYTES } from '../../api/streams/websocket-duplex.ts';
import type { Clock, Timer } from '../../base/clock.ts';

/** How often the server sends a ping. Proxies often close connections that are silent for a minute. */
const PING_MS = 15_000;

/** How long a client may send nothing, pongs included. */
const SILENCE_MS = 60_000;

/**
 * Pings the client and closes the connection of one that has vanished or hangs, until the connection is closed.
 * A client is given more time while the server does not read from it, and while a window of output waits for
 * it: {@link SlowClients} limits then how long it may read nothing.
 */
export function watchPeer(webSocket: WebSocket, clock: Clock): void {
	let heardAt = clock.monotonic();
	const heard = (): void => {
		heardAt = clock.monotonic();
	};
	let timer: Timer;
	const beat = (): void => {
		if (webSocket.isPaused || webSocket.bufferedAmount >= WINDOW_BYTES) heard();
		if (clock.monotonic() - heardAt >= SILENCE_MS) {
			webSocket.terminate();
			return;
		}
		// A ping to a connection that the client has closed fails, which closes it here too, even if it is not read.
		if (webSocket.readyState === webSocket.OPEN) webSocket.ping();
		timer = clock.setTimer(PING_MS, beat);
	};
	timer = clock.setTimer(PING_MS, beat);
	webSocket.on('message', heard).on('pong', heard).on('ping', heard);
	webSocket.once('close', () => timer.cancel());
}
