import type { ServerResponse } from 'node:http';
import type { ApiError } from '../api/meta/api-error.ts';
import type { Clock } from '../base/clock.ts';
import type { RunQueue } from '../base/run-queue.ts';
import type { SlowClients } from './slow-clients.ts';
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
 * Sends a watch over HTTP. The next notices are read only once the client has taken the last ones, so that
 * no more than one piece of work waits for a client, however slow it is and however much happens.
 */
export class HttpWatch {
	readonly #options: HttpWatchOptions;
	readonly #reader: WatchReader;
	/** The client has not taken what was sent. */
	#blocked = false;
	#over = false;

	/** `open` opens the watch, given what to call when there may be something to read. */
	constructor(options: HttpWatchOptions, open: (wake: () => void) => WatchReader) {
		this.#options = options;
		this.#reader = open(() => this.#enqueue());
		options.response.on('drain', () => this.#drained());
		options.response.once('close', () => this.stop());
		this.#enqueue();
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
		for (const line of lines) this.#blocked = !response.write(line);
		socket?.uncork();
		if (this.#blocked) slowClients.add(this, response.writableLength);
	}

	#drained(): void {
		if (!this.#blocked) return;
		this.#blocked = false;
		this.#options.slowClients.remove(this);
		this.#enqueue();
	}
}
