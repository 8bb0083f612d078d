import type { Clock, Timer } from '../../base/clock.ts';
import { FifoSet } from '../../base/collections/fifo-set.ts';

/** How long a client may read nothing, for each {@link STALL_BYTES} that wait for it. */
const STALL_TIMEOUT_MS = 60_000;

/**
 * Node writes what waits for a client in one call and reports only its completion, so progress within it
 * cannot be observed. The timeout is therefore proportional to the waiting bytes: a client that reads 4 kB a
 * second or more stays connected.
 */
const STALL_BYTES = 256 * 1024;

/**
 * Maximum number of bytes that may wait for all clients together. Above it the client that has waited longest
 * is disconnected.
 */
const MAX_WAITING_BYTES = 32 * 1024 * 1024;

/** Above this number of waiting bytes, watches do not send more to a client before it has read everything. */
const CROWDED_BYTES = 8 * 1024 * 1024;

/** A client that reads its response more slowly than the server produces it. */
export interface SlowClient {
	/** Number of bytes that wait for the client. */
	readonly unreadBytes: number;
	/** Closes the connection. */
	disconnect(): void;
}

interface Waiting {
	/** Number of waiting bytes at the last check. */
	bytes: number;
	timer: Timer;
}

/**
 * The clients for which output waits, which occupies memory of the server. A client that reads nothing for a
 * minute (longer for more than 256 KiB) is disconnected. If too much waits for all clients together, the one
 * that has waited longest is disconnected. A client that was disconnected reconnects and resumes from its
 * last resourceVersion.
 */
export class SlowClients {
	readonly #clock: Clock;
	/** Least recently read first. */
	readonly #queue = new FifoSet<SlowClient>();
	readonly #waiting = new Map<SlowClient, Waiting>();
	#bytes = 0;

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** Number of bytes that wait for all clients. */
	get bytes(): number {
		return this.#bytes;
	}

	/** Whether so much waits that watches should not send more to a client before it has read everything. */
	get isCrowded(): boolean {
		return this.#bytes > CROWDED_BYTES;
	}

	/**
	 * Registers or updates a client for which bytes wait. More waiting bytes neither extend its time nor change
	 * its place in the queue; `hasRead` says that it has read some meanwhile, which does both.
	 */
	add(client: SlowClient, hasRead = false): void {
		const waiting = this.#waiting.get(client);
		if (!waiting || hasRead) this.#startTimer(client);
		else this.#updateBytes(waiting, client.unreadBytes);
		while (this.#bytes > MAX_WAITING_BYTES && this.#waiting.size > 1) {
			const { first } = this.#queue;
			if (first) this.#disconnect(first);
		}
	}

	/** Removes a client that has read everything or has disconnected. */
	remove(client: SlowClient): void {
		const waiting = this.#waiting.get(client);
		if (!waiting) return;
		waiting.timer.cancel();
		this.#waiting.delete(client);
		this.#queue.delete(client);
		this.#bytes -= waiting.bytes;
	}

	#startTimer(client: SlowClient): void {
		this.remove(client);
		const bytes = client.unreadBytes;
		const timer = this.#clock.setTimer(stallMs(bytes), () => this.#checkProgress(client));
		this.#waiting.set(client, { bytes, timer });
		this.#queue.add(client);
		this.#bytes += bytes;
	}

	#updateBytes(waiting: Waiting, bytes: number): void {
		this.#bytes += bytes - waiting.bytes;
		waiting.bytes = bytes;
	}

	/**
	 * Called at the end of a client's time: starts it again if the client has read something, otherwise
	 * disconnects it.
	 */
	#checkProgress(client: SlowClient): void {
		const waiting = this.#waiting.get(client);
		if (waiting && client.unreadBytes < waiting.bytes) this.#startTimer(client);
		else this.#disconnect(client);
	}

	#disconnect(client: SlowClient): void {
		this.remove(client);
		client.disconnect();
	}
}

function stallMs(bytes: number): number {
	return STALL_TIMEOUT_MS * Math.max(1, bytes / STALL_BYTES);
}
