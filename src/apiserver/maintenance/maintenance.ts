import type { Timer } from '../../base/clock.ts';
import { FifoQueue } from '../../base/collections/fifo-queue.ts';
import type { ServerContext } from '../context.ts';
import { EventExpiry } from './event-expiry.ts';

/** Interval of the rounds; one timer serves all periodic work. */
const ROUND_MS = 60_000;

/**
 * Number of rounds for which the store keeps history, so that a client can resume from a resourceVersion for
 * at least five minutes. Upstream compacts every five minutes, to the revision of five minutes before, so its
 * history varies between five and ten minutes. Compacting in each round bounds it to six.
 */
const HISTORY_ROUNDS = 5;

/** The server's periodic work: it sends bookmarks to watches, deletes old Events and compacts the store. */
export class Housekeeping {
	readonly #server: ServerContext;
	readonly #events: EventExpiry;
	/** The revisions of the latest rounds, oldest first. */
	readonly #revisions = new FifoQueue<number>();
	#timer: Timer | undefined;
	#compactTo = 0;
	#compacting = false;

	constructor(server: ServerContext) {
		this.#server = server;
		this.#events = new EventExpiry(server);
	}

	/** Starts the periodic work. The cache must be loaded. */
	start(): void {
		this.#events.start();
		this.#revisions.push(this.#server.cache.revision);
		this.#scheduleRound();
	}

	/** Stops the periodic work. A compaction that is running is left to finish. */
	stop(): void {
		this.#timer?.cancel();
		this.#events.stop();
	}

	#scheduleRound(): void {
		this.#timer = this.#server.clock.setTimer(ROUND_MS, () => {
			this.#scheduleRound();
			this.#runRound();
		});
	}

	#runRound(): void {
		const { cache, watches } = this.#server;
		for (const watch of [...watches]) watch.bookmark(cache.revision);
		this.#events.sweep();
		this.#revisions.push(cache.revision);
		if (this.#revisions.size <= HISTORY_ROUNDS) return;
		this.#compactTo = this.#revisions.shift() ?? 0;
		if (!this.#compacting) void this.#compact();
	}

	/**
	 * Compacts the store to `#compactTo`, and again if a round has raised that meanwhile. Two compactions never
	 * run at once.
	 */
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
