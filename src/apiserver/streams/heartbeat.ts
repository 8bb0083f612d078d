import type { Clock, Timer } from '../../base/clock.ts';

/** How often the server sends a ping. Proxies often close connections that are silent for a minute. */
const PING_MS = 15_000;

/** How long a client may send nothing, answers to pings included. */
const SILENCE_MS = 60_000;

/** The connection of a client. */
export interface Pingable {
	/**
	 * Whether the server does not read from the client, or much output waits for it: it is given more time then.
	 * {@link SlowClients} limits how long it may read nothing.
	 */
	readonly isBusy: boolean;
	ping(): void;
	/** Closes the connection at once. */
	terminate(): void;
}

/** The watch over a connection. */
export interface Heartbeat {
	/** The client has sent something. */
	heard(): void;
	/** The connection is closed. */
	stop(): void;
}

/** Pings the client and closes the connection of one that has vanished or hangs, until it is stopped. */
export function watchPeer(peer: Pingable, clock: Clock): Heartbeat {
	let heardAt = clock.monotonic();
	const heard = (): void => {
		heardAt = clock.monotonic();
	};
	let timer: Timer;
	const beat = (): void => {
		if (peer.isBusy) heard();
		if (clock.monotonic() - heardAt >= SILENCE_MS) {
			peer.terminate();
			return;
		}
		// A ping to a connection that the client has closed fails, which closes it here too, even if it is not read.
		peer.ping();
		timer = clock.setTimer(PING_MS, beat);
	};
	timer = clock.setTimer(PING_MS, beat);
	return { heard, stop: () => timer.cancel() };
}
