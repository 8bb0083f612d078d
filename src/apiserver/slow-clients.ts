import type { Clock, Timer } from '../base/clock.ts';
import { FifoSet } from '../base/fifo-set.ts';

/** Maximum time a client may read nothing of an answer that it is sent. */
const LONGEST_STALL_MS = 60_000;

/** Maximum number of bytes that may wait for all clients together. */
const MOST_WAITING_BYTES = 32 * 1024 * 1024;

/** While more than this waits for all of them, none should be given more before it has taken all. */
const CROWDED_BYTES = 8 * 1024 * 1024;

/** A client that takes its answer more slowly than it is made. */
export interface SlowClient {
	/** Ends the connection. */
	cut(): void;
}

/**
 * The clients that have bytes waiting for them, which are memory of the server. One that takes nothing for a
 * minute is cut, and so is the one that has waited longest when all together make too much wait; a client
 * that was cut begins anew from where it was.
 */
export class SlowClients {
	readonly #clock: Clock;
	/** In the order in which they began to wait. */
	readonly #line = new FifoSet<SlowClient>();
	readonly #waiting = new Map<SlowClient, { readonly bytes: number; readonly timer: Timer }>();
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

	/** So many bytes wait for the client now. Its minute begins anew. */
	add(client: SlowClient, bytes: number): void {
		this.remove(client);
		const timer = this.#clock.setTimer(LONGEST_STALL_MS, () => this.#cut(client));
		this.#waiting.set(client, { bytes, timer });
		this.#line.add(client);
		this.#bytes += bytes;
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

	#cut(client: SlowClient): void {
		this.remove(client);
		client.cut();
	}
}
