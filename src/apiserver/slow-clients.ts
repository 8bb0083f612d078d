import type { Clock, Timer } from '../base/clock.ts';
import { FifoSet } from '../base/fifo-set.ts';

/** Maximum time in which a client may take nothing of what waits for it, for each {@link STALL_BYTES} of that. */
const LONGEST_STALL_MS = 60_000;

/**
 * What waits for a client leaves in one piece, so that only its end can be seen: a client that takes 4 kB a second
 * is none that takes nothing.
 */
const STALL_BYTES = 256 * 1024;

/** Maximum number of bytes that may wait for all clients together. */
const MOST_WAITING_BYTES = 32 * 1024 * 1024;

/** While more than this waits for all of them, none should be given more before it has taken all. */
const CROWDED_BYTES = 8 * 1024 * 1024;

/** A client that takes its answer more slowly than it is made. */
export interface SlowClient {
	/** How many bytes wait for it. */
	readonly unreadBytes: number;
	/** Ends the connection. */
	cut(): void;
}

interface Waiting {
	/** How many bytes it had not taken when that was looked at last. */
	bytes: number;
	timer: Timer;
}

/**
 * The clients that have bytes waiting for them, which are memory of the server. One that takes nothing for a
 * minute or a few is cut, and so is the one that has waited longest when all together make too much wait; a client
 * that was cut begins anew from where it was.
 */
export class SlowClients {
	readonly #clock: Clock;
	/** In the order in which they were last seen to take something. */
	readonly #line = new FifoSet<SlowClient>();
	readonly #waiting = new Map<SlowClient, Waiting>();
	#bytes = 0;

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** How many bytes wait for all of them. */
	get bytes(): number {
		return this.#bytes;
	}

	/** Whether so much waits that no client should be given more before it has taken what waits for it. */
	get isCrowded(): boolean {
		return this.#bytes > CROWDED_BYTES;
	}

	/**
	 * Bytes wait for the client. It may have been added before, and more may wait by now: that alone gives it
	 * neither more time nor another place. `hasTaken` says that it has taken some of them meanwhile.
	 */
	add(client: SlowClient, hasTaken = false): void {
		const waiting = this.#waiting.get(client);
		if (!waiting || hasTaken) this.#begin(client);
		else this.#count(waiting, client.unreadBytes);
		while (this.#bytes > MOST_WAITING_BYTES && this.#waiting.size > 1) {
			const { first } = this.#line;
			if (first) this.#cut(first);
		}
	}

	/** The client has taken what waited for it, or is gone. */
	remove(client: SlowClient): void {
		const waiting = this.#waiting.get(client);
		if (!waiting) return;
		waiting.timer.cancel();
		this.#waiting.delete(client);
		this.#line.delete(client);
		this.#bytes -= waiting.bytes;
	}

	#begin(client: SlowClient): void {
		this.remove(client);
		const bytes = client.unreadBytes;
		const timer = this.#clock.setTimer(stallMs(bytes), () => this.#look(client));
		this.#waiting.set(client, { bytes, timer });
		this.#line.add(client);
		this.#bytes += bytes;
	}

	#count(waiting: Waiting, bytes: number): void {
		this.#bytes += bytes - waiting.bytes;
		waiting.bytes = bytes;
	}

	/** Its time is over: it goes on if it has taken something in it. */
	#look(client: SlowClient): void {
		const waiting = this.#waiting.get(client);
		if (waiting && client.unreadBytes < waiting.bytes) this.#begin(client);
		else this.#cut(client);
	}

	#cut(client: SlowClient): void {
		this.remove(client);
		client.cut();
	}
}

function stallMs(bytes: number): number {
	return LONGEST_STALL_MS * Math.max(1, bytes / STALL_BYTES);
}
