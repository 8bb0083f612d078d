import type { Socket } from 'node:net';
import { descriptorLimit } from '../../base/files/descriptor-limit.ts';

/**
 * Maximum number of open connections without a valid token, or half of all connections if that is less. It is
 * more than the handshakes of a client that opens all its connections at once.
 */
const MAX_UNAUTHENTICATED = 1024;

/**
 * File descriptors reserved for the rest of the process: the store, the launcher, and log files that clients
 * read.
 */
const RESERVED_DESCRIPTORS = 256;

/** An accepted connection. */
interface Connection {
	readonly socket: Socket;
	/** The client's address and port; undefined for a connection to the Unix socket. */
	readonly peer: string | undefined;
	/** Number of requests that have not been answered. */
	busy: number;
}

/**
 * Limits the number of open connections of a listener, so that file descriptors remain for the rest of the
 * process. With all of them in use, no file could be opened and no Pod started.
 *
 * 1. Connections without a valid token have a limit of their own: when another one is accepted, the oldest is
 *    closed. A client that sends its token at once keeps its connection, however many others are opened
 *    without one.
 * 2. All connections together leave the reserved descriptors free. Beyond that limit the oldest idle
 *    connection is closed, or the new one if none is idle.
 * 3. A connection that its client reset before it was accepted has no peer address. It is closed at once and
 *    not counted.
 * 4. A connection to the Unix socket counts as one with a valid token: only the owner of the server can open it.
 */
export class Connections {
	readonly #maxOpen: number;
	/** In the order in which they were accepted; the key is the socket that was accepted. */
	readonly #open = new Map<Socket, Connection>();
	/** The entries of {@link #open} on which no client has sent a valid token yet, in the same order. */
	readonly #unauthenticated = new Set<Connection>();
	/**
	 * The latest connection of each peer. Requests arrive on the TLS socket, and Node has no public link from
	 * it to the socket that was accepted, but both have the same peer address.
	 */
	readonly #latest = new Map<string, Connection>();

	/** `maxOpen` is the maximum number of open connections. */
	constructor(maxOpen = mostConnections()) {
		this.#maxOpen = maxOpen;
	}

	/** The number of open connections. */
	get size(): number {
		return this.#open.size;
	}

	/** Registers an accepted connection, and closes one if a limit is exceeded. */
	add(socket: Socket): void {
		const peer = peerOf(socket);
		if (peer === undefined) {
			socket.destroy();
			return;
		}
		const connection: Connection = { socket, peer, busy: 0 };
		this.#unauthenticated.add(connection);
		this.#latest.set(peer, connection);
		this.#register(connection);
	}

	/** Registers a connection to the Unix socket, and closes one if the limit is exceeded. */
	addLocal(socket: Socket): void {
		this.#register({ socket, peer: undefined, busy: 0 });
	}

	/** Whether the connection was opened at the Unix socket. */
	isLocal(socket: Socket): boolean {
		const connection = this.#open.get(socket);
		return connection !== undefined && connection.peer === undefined;
	}

	#register(connection: Connection): void {
		const { socket } = connection;
		this.#open.set(socket, connection);
		socket.once('close', () => this.#remove(connection));
		if (this.#unauthenticated.size > Math.min(MAX_UNAUTHENTICATED, this.#maxOpen / 2))
			this.#close(this.#unauthenticated, () => true);
		if (this.#open.size <= this.#maxOpen) return;
		if (!this.#close(this.#open.values(), ({ busy }) => busy === 0)) socket.destroy();
	}

	/**
	 * Registers a request on a connection, which is then not idle. The caller calls the returned function once
	 * the request has been answered.
	 */
	startRequest(socket: Socket): () => void {
		const connection = this.#of(socket);
		if (!connection) return () => undefined;
		connection.busy += 1;
		return () => {
			connection.busy -= 1;
		};
	}

	/** Records that the client of a connection has sent a valid token. */
	markAuthenticated(socket: Socket): void {
		const connection = this.#of(socket);
		if (connection) this.#unauthenticated.delete(connection);
	}

	#of(socket: Socket): Connection | undefined {
		const peer = peerOf(socket);
		return peer === undefined ? this.#open.get(socket) : this.#latest.get(peer);
	}

	/** Closes the first of `connections` for which `mayClose` returns true. Returns false if there is none. */
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
		this.#unauthenticated.delete(connection);
		// A client may reuse its port before the server notices that its previous connection was closed.
		if (peer !== undefined && this.#latest.get(peer) === connection) this.#latest.delete(peer);
	}
}

/** The client's address and port; undefined once the connection has none. */
function peerOf({ remoteAddress, remotePort }: Socket): string | undefined {
	return remoteAddress === undefined ? undefined : `${remoteAddress} ${remotePort}`;
}

/**
 * The number of connections that leaves the reserved descriptors free. Node raises its soft limit of open
 * files to the hard limit at its start. Where that limit cannot be read (other systems than Linux) it is in
 * the tens of thousands.
 */
function mostConnections(): number {
	const descriptors = descriptorLimit() ?? Number.POSITIVE_INFINITY;
	return Math.max(descriptors / 2, descriptors - RESERVED_DESCRIPTORS);
}
