import type { ServerResponse } from 'node:http';
import type { ApiError } from '../../api/errors/api-error.ts';
import type { Clock } from '../../base/clock.ts';
import type { RunQueue } from '../../base/queue/run-queue.ts';
import { errorLine, type WatchLines } from '../verbs/watch-events.ts';
import type { WatchReader } from '../verbs/watch-reader.ts';
import type { SlowClient, SlowClients } from './slow-clients.ts';

/** Dependencies of an {@link HttpWatch}. */
export interface HttpWatchOptions {
	/** The response; its head is sent before the first line. */
	readonly response: ServerResponse;
	readonly lines: WatchLines;
	readonly clock: Clock;
	/** Runs the steps of all watches of the listener one after the other. */
	readonly queue: RunQueue;
	readonly slowClients: SlowClients;
	/** Converts an error to the ApiError that the client receives, and reports unexpected ones. */
	readonly errorOf: (error: unknown) => ApiError;
}

/**
 * How many bytes may wait for a client before its watch stops reading: between `least` and `most`, which is
 * what an event loop turn can send. The limit is doubled each time the client reads everything within a
 * second, so that it keeps up with a burst, when turns are long. Otherwise it falls back to the least.
 */
const UNREAD_BYTES = { least: 64 * 1024, most: 1024 * 1024 };
const QUICK_MS = 1000;

/**
 * Sends a watch over HTTP. It reads further notices only while little waits for this client and for all
 * clients together. So the memory of a watch is bounded, however slow its client is and however many changes
 * there are.
 */
export class HttpWatch implements SlowClient {
	readonly #options: HttpWatchOptions;
	readonly #reader: WatchReader;
	/** The limit of waiting bytes is reached: nothing is read until the response drains. */
	#blocked = false;
	#isStopped = false;
	#allowedBytes = UNREAD_BYTES.least;
	/** Number of waiting bytes after the last write. */
	#seenUnread = 0;
	/** When bytes first waited that the client has not read yet, in ms of the monotonic clock. */
	#unreadStartedAt: number | undefined;

	/** `open` opens the watch; the function it receives wakes this one when there may be something to read. */
	constructor(options: HttpWatchOptions, open: (wake: () => void) => WatchReader) {
		this.#options = options;
		this.#reader = open(() => this.#enqueue());
		options.response.on('drain', () => this.#drained());
		options.response.once('close', () => this.stop());
		this.#enqueue();
	}

	/** Number of bytes of the response that the client has not read. */
	get unreadBytes(): number {
		return this.#options.response.writableLength;
	}

	/** Stops the watch. The caller ends the response. */
	stop(): void {
		this.#isStopped = true;
		this.#reader.stop();
		this.#options.slowClients.remove(this);
	}

	/** Disconnects a client that does not read; {@link SlowClients} calls it. */
	disconnect(): void {
		this.stop();
		this.#options.response.destroy();
	}

	#enqueue(): void {
		this.#options.queue.add(() => this.#runStep());
	}

	#runStep(): void {
		if (this.#isStopped || this.#blocked) return;
		try {
			this.#step();
		} catch (error) {
			// An object that cannot be encoded ends this watch and no other.
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
		// The socket is corked so that all lines of a step go out in one TLS record, and uncorked at once: by
		// itself Node would send them only at the end of the event loop turn.
		socket?.cork();
		let isDrained = true;
		const hasRead = this.unreadBytes < this.#seenUnread;
		for (const line of lines) isDrained = response.write(line);
		socket?.uncork();
		this.#seenUnread = this.unreadBytes;
		if (isDrained) return;
		this.#unreadStartedAt ??= this.#options.clock.monotonic();
		slowClients.add(this, hasRead);
		this.#blocked = this.unreadBytes >= this.#allowedBytes || slowClients.isCrowded;
	}

	#drained(): void {
		const { clock, slowClients } = this.#options;
		const isQuick = clock.monotonic() - (this.#unreadStartedAt ?? 0) < QUICK_MS;
		this.#allowedBytes = isQuick ? Math.min(this.#allowedBytes * 2, UNREAD_BYTES.most) : UNREAD_BYTES.least;
		this.#unreadStartedAt = undefined;
		this.#seenUnread = 0;
		slowClients.remove(this);
		if (!this.#blocked) return;
		this.#blocked = false;
		this.#enqueue();
	}
}
