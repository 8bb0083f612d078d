import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';

/**
 * So many connections may be open on which no client has shown a token yet, or half of all if that is less.
 * It is more than the handshakes of a client that opens its connections all at once.
 */
const MOST_UNKNOWN = 1024;

/** Descriptors that the rest of the process needs: the store, the launcher, logs that are read. */
const RESERVED_DESCRIPTORS = 256;

/** A connection, in the order in which they were opened. */
interface Connection {
	readonly socket: Socket;
	/** The client's address and port. */
	readonly peer: string;
	/** Requests under way. */
	busy: number;
}

/**
 * Bounds how many connections a listener has open, so that they leave descriptors for the rest of the
 * process: with all in use, no file could be opened and no Pod started.
 *
 * 1. The number of connections without a token is bounded apart: the oldest goes when another comes. A client
 *    that shows its token at once keeps its connection, however many others are opened in vain.
 * 2. All together leave the descriptors that the process needs. Beyond that an idle connection goes, and
 *    where none is idle the new one.
 * 3. A connection that its client reset before it was accepted has no peer any more. It is closed at once and
 *    not counted.
 */
export class Connections {
	readonly #most: number;
	/** In the order in which they were opened, by the socket that was accepted. */
	readonly #open = new Map<Socket, Connection>();
	/** Those of {@link #open} on which no client has shown a token yet, in the same order. */
	readonly #unknown = new Set<Connection>();
	/**
	 * The latest connection of each peer. Requests come on the TLS socket, and Node has no public link from
	 * that to the socket that was accepted; both have the same peer.
	 */
	readonly #latest = new Map<string, Connection>();

	/** `most` connections may be open in all. */
	constructor(most = mostConnections()) {
		this.#most = most;
	}

	/** How many are open. */
	get size(): number {
		return this.#open.size;
	}

	/** A connection was accepted. */
	add(socket: Socket): void {
		const peer = peerOf(socket);
		if (peer === undefined) {
			socket.destroy();
			return;
		}
		const connection: Connection = { socket, peer, busy: 0 };
		this.#open.set(socket, connection);
		this.#unknown.add(connection);
		this.#latest.set(peer, connection);
		socket.once('close', () => this.#remove(connection));
		if (this.#unknown.size > Math.min(MOST_UNKNOWN, this.#most / 2)) this.#close(this.#unknown, () => true);
		if (this.#open.size <= this.#most) return;
		if (!this.#close(this.#open.values(), ({ busy }) => busy === 0)) socket.destroy();
	}

	/** A request has come on a connection; call what is returned once it was answered. */
	begin(socket: Socket): () => void {
		const connection = this.#of(socket);
		if (!connection) return () => undefined;
		connection.busy += 1;
		return () => {
			connection.busy -= 1;
		};
	}

	/** The client of a connection has shown a token. */
	know(socket: Socket): void {
		const connection = this.#of(socket);
		if (connection) this.#unknown.delete(connection);
	}

	#of(socket: Socket): Connection | undefined {
		const peer = peerOf(socket);
		return peer === undefined ? undefined : this.#latest.get(peer);
	}

	/** Closes the first of `connections` that may be closed. Returns false if there is none. */
	#close(connections: Iterable<Connection>, mayClose: (connection: Connection) => boolean): boolean {
		for (const connection of connections) {
			if (!mayClose(connection)) continue;
			this.#remove(connection);
			connection.socket.destroy();
			return true;
		}
		return false;
	}

	#remove(connection: Connection): void {
		const { socket, peer } = connection;
		this.#open.delete(socket);
		this.#unknown.delete(connection);
		// A client may use its port again before the end of its last connection is noticed here.
		if (this.#latest.get(peer) === connection) this.#latest.delete(peer);
	}
}

/** The client's address and port; undefined once the connection has none. */
function peerOf({ remoteAddress, remotePort }: Socket): string | undefined {
	return remoteAddress === undefined ? undefined : `${remoteAddress} ${remotePort}`;
}

/**
 * How many connections leave descriptors for the rest of the process. Node raises its limit of open files to
 * the hard one; where that cannot be read (beyond Linux) it is in the tens of thousands.
 */
function mostConnections(): number {
	const descriptors = Number(/^Max open files +(\d+)/m.exec(limitsOfProcess())?.[1] ?? Infinity);
	return Math.max(descriptors / 2, descriptors - RESERVED_DESCRIPTORS);
}

function limitsOfProcess(): string {
	try {
		return readFileSync('/proc/self/limits', 'utf8');
	} catch {
		return '';
	}
}
