import type { Timer } from '../base/clock.ts';
import { FifoQueue } from '../base/fifo-queue.ts';
import type { ServerContext } from './context.ts';
import { EventExpiry } from './event-expiry.ts';

/** One timer does everything that comes round again and again. */
const ROUND_MS = 60_000;

/**
 * How many rounds of history the store keeps at least, so that a client has five minutes to continue from a
 * resourceVersion (upstream compacts every five minutes, to where it was five minutes before). Compacting
 * at each round keeps the size of the history even: six minutes of it at most.
 */
const HISTORY_ROUNDS = 5;

/** The server's regular work: bookmarks for watches, the end of old Events, and compaction of the store. */
export class Housekeeping {
	readonly #server: ServerContext;
	readonly #events: EventExpiry;
	/** The revisions at the latest rounds, oldest first. */
	readonly #revisions = new FifoQueue<number>();
	#timer: Timer | undefined;
	#compactTo = 0;
	#compacting = false;

	constructor(server: ServerContext) {
		this.#server = server;
		this.#events = new EventExpiry(server);
	}

	/** Starts the rounds; the cache must be loaded. */
	start(): void {
		this.#events.start();
		this.#revisions.push(this.#server.cache.revision);
		this.#arm();
	}

	/** Ends them. */
	stop(): void {
		this.#timer?.cancel();
		this.#events.stop();
	}

	#arm(): void {
		this.#timer = this.#server.clock.setTimer(ROUND_MS, () => {
			this.#arm();
			this.#goRound();
		});
	}

	#goRound(): void {
		const { cache, watches } = this.#server;
		for (const watch of [...watches]) watch.bookmark(cache.revision);
		this.#events.sweep();
		this.#revisions.push(cache.revision);
		if (this.#revisions.size <= HISTORY_ROUNDS) return;
		this.#compactTo = this.#revisions.shift() ?? 0;
		if (!this.#compacting) void this.#compact();
	}

	/** Compacts to where it is asked to; further, if a round has come in the meantime. */
	async #compact(): Promise<void> {
		const { store, onError } = this.#server;
		this.#compacting = true;
		for (let done = 0; done < this.#compactTo; ) {
			done = this.#compactTo;
			try {
				await store.compact(done);
			} catch (error) {
				onError('compaction', error);
			}
		}
		this.#compacting = false;
	}
}
