import type { ServerResponse } from 'node:http';
import type { ApiError } from '../api/meta/api-error.ts';
import type { Clock } from '../base/clock.ts';
import type { RunQueue } from '../base/run-queue.ts';
import type { SlowClient, SlowClients } from './slow-clients.ts';
import { errorLine, type WatchLines } from './watch-events.ts';
import type { WatchReader } from './watch-reader.ts';

/** What an {@link HttpWatch} works with. */
export interface HttpWatchOptions {
	/** Its head has been sent. */
	readonly response: ServerResponse;
	readonly lines: WatchLines;
	readonly clock: Clock;
	/** Where all watches of the listener wait for their turn. */
	readonly queue: RunQueue;
	readonly slowClients: SlowClients;
	/** The error that a client is told; reports what is no known one. */
	readonly errorOf: (error: unknown) => ApiError;
}

/**
 * How many bytes may wait for a client before the watch reads on, from the first to the last value: what a
 * turn of the event loop sends. A client that took its last bytes quickly is given twice as much, so that it
 * keeps pace in a burst, when turns are long; one that did not is given the least.
 */
const UNREAD_BYTES = { least: 64 * 1024, most: 1024 * 1024 };
const QUICK_MS = 1000;

/**
 * Sends a watch over HTTP. Further notices are read only while not much waits for the client, or for all
 * clients together, however slow it is and however much happens.
 */
export class HttpWatch implements SlowClient {
	readonly #options: HttpWatchOptions;
	readonly #reader: WatchReader;
	/** So much waits for the client that nothing more is read. */
	#blocked = false;
	#over = false;
	#allowedBytes = UNREAD_BYTES.least;
	/** How many bytes waited for the client after the last write. */
	#seenUnread = 0;
	/** Since when there have been bytes that the client has not taken, by the monotonic clock. */
	#unreadSince: number | undefined;

	/** `open` opens the watch, given what to call when there may be something to read. */
	constructor(options: HttpWatchOptions, open: (wake: () => void) => WatchReader) {
		this.#options = options;
		this.#reader = open(() => this.#enqueue());
		options.response.on('drain', () => this.#drained());
		options.response.once('close', () => this.stop());
		this.#enqueue();
	}

	/** How many bytes of the answer the client has not taken. */
	get unreadBytes(): number {
		return this.#options.response.writableLength;
	}

	/** Ends the watch; the answer is the caller's to end. */
	stop(): void {
		this.#over = true;
		this.#reader.stop();
		this.#options.slowClients.remove(this);
	}

	/** Ends the connection of a client that does not read; see {@link SlowClients}. */
	cut(): void {
		this.stop();
		this.#options.response.destroy();
	}

	#enqueue(): void {
		this.#options.queue.add(() => this.#work());
	}

	#work(): void {
		if (this.#over || this.#blocked) return;
		try {
			this.#step();
		} catch (error) {
			// One object that cannot be shown ends this watch and no other.
			this.#end(error);
		}
	}

	#step(): void {
		const step = this.#reader.step();
		if (step.type === 'waiting') return;
		if (step.type === 'ended') {
			this.#end(step.error);
			return;
		}
		const now = this.#options.clock.now();
		this.#write(step.notices.map((notice) => this.#options.lines.line(notice, now)));
		if (!this.#blocked) this.#enqueue();
	}

	#end(error: unknown): void {
		this.stop();
		const { response, errorOf } = this.#options;
		if (error === undefined) response.end();
		else response.end(errorLine(errorOf(error).status));
	}

	#write(lines: readonly Uint8Array[]): void {
		const { response, slowClients } = this.#options;
		const { socket } = response;
		// Corked, all that a step brings leaves in one record; Node would else wait for the end of the turn.
		socket?.cork();
		let isTaken = true;
		const hasTaken = this.unreadBytes < this.#seenUnread;
		for (const line of lines) isTaken = response.write(line);
		socket?.uncork();
		this.#seenUnread = this.unreadBytes;
		if (isTaken) return;
		this.#unreadSince ??= this.#options.clock.monotonic();
		slowClients.add(this, hasTaken);
		this.#blocked = this.unreadBytes >= this.#allowedBytes || slowClients.isCrowded;
	}

	#drained(): void {
		const { clock, slowClients } = this.#options;
		const isQuick = clock.monotonic() - (this.#unreadSince ?? 0) < QUICK_MS;
		this.#allowedBytes = isQuick ? Math.min(this.#allowedBytes * 2, UNREAD_BYTES.most) : UNREAD_BYTES.least;
		this.#unreadSince = undefined;
		this.#seenUnread = 0;
		slowClients.remove(this);
		if (!this.#blocked) return;
		this.#blocked = false;
		this.#enqueue();
	}
}
