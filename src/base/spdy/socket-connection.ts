import type { Duplex as Connection } from 'node:stream';
import type { SpdyConnection } from './spdy-session.ts';

/** Options of {@link socketConnection}. */
export interface SocketConnectionOptions {
	/** Called with true when the peer reads so slowly that writers wait, and with false when they continue. */
	readonly blocked?: (isBlocked: boolean) => void;
	/** Called when this end has closed the connection; the peer still has to close its own. */
	readonly ended?: () => void;
}

/** A socket as the connection under a session. All writers wait with one listener: a session can have many. */
export function socketConnection(
	socket: Connection,
	{ blocked = () => undefined, ended = () => undefined }: SocketConnectionOptions = {},
): SpdyConnection {
	let draining: Promise<void> | undefined;
	const drained = (): Promise<void> => {
		draining ??= new Promise((resolve) => {
			blocked(true);
			const done = (): void => {
				socket.off('drain', done).off('close', done);
				draining = undefined;
				blocked(false);
				resolve();
			};
			socket.on('drain', done).on('close', done);
		});
		return draining;
	};
	return {
		write: async (bytes) => {
			if (!socket.writable) return false;
			if (!socket.write(bytes)) await drained();
			return socket.writable;
		},
		pause: () => void socket.pause(),
		resume: () => void socket.resume(),
		end: () => {
			socket.end();
			socket.resume();
			ended();
		},
	};
}
