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
	/** A client has shown a token on it. */
	isKnown: boolean;
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
 */
export class Connections {
	readonly #most: number;
	/** By the client's address and port, which an accepted connection has for itself. */
	readonly #open = new Map<string, Connection>();
	#unknown = 0;

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
		const key = keyOf(socket);
		this.#open.set(key, { socket, isKnown: false, busy: 0 });
		this.#unknown += 1;
		socket.once('close', () => this.#remove(key));
		if (this.#unknown > Math.min(MOST_UNKNOWN, this.#most / 2)) this.#close(({ isKnown }) => !isKnown);
		if (this.#open.size > this.#most && !this.#close(({ busy }) => busy === 0)) socket.destroy();
	}

	/** A request has come on a connection; call what is returned once it was answered. */
	begin(socket: Socket): () => void {
		const connection = this.#open.get(keyOf(socket));
		if (!connection) return () => undefined;
		connection.busy += 1;
		return () => {
			connection.busy -= 1;
		};
	}

	/** The client of a connection has shown a token. */
	know(socket: Socket): void {
		const connection = this.#open.get(keyOf(socket));
		if (!connection || connection.isKnown) return;
		connection.isKnown = true;
		this.#unknown -= 1;
	}

	/** Closes the oldest connection that may go, if there is one. */
	#close(mayGo: (connection: Connection) => boolean): boolean {
		for (const [key, connection] of this.#open) {
			if (!mayGo(connection)) continue;
			this.#remove(key);
			connection.socket.destroy();
			return true;
		}
		return false;
	}

	#remove(key: string): void {
		const connection = this.#open.get(key);
		if (!connection) return;
		this.#open.delete(key);
		if (!connection.isKnown) this.#unknown -= 1;
	}
}

function keyOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
	return `${remoteAddress} ${remotePort}`;
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
