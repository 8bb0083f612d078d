import type { Timer } from '../base/clock.ts';
import type { ServerContext } from './context.ts';
import { EventExpiry } from './event-expiry.ts';

/** One timer does all that comes round again and again. */
const ROUND_MS = 60_000;

/** The store's history is cut back every fifth round. */
const COMPACTION_ROUNDS = 5;

/**
 * The server's regular chores: bookmarks for watches, the end of old Events, and compaction of the
 * store. Compaction keeps at least what happened since the one before, so clients have five minutes at
 * least to go on from a resourceVersion (as upstream).
 */
export class Housekeeping {
	readonly #server: ServerContext;
	readonly #events: EventExpiry;
	#timer: Timer | undefined;
	#round = 0;
	#compactNext = 0;

	constructor(server: ServerContext) {
		this.#server = server;
		this.#events = new EventExpiry(server);
	}

	/** Starts the rounds; the cache must be loaded. */
	start(): void {
		this.#events.start();
		this.#compactNext = this.#server.cache.revision;
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
		this.#round += 1;
		if (this.#round % COMPACTION_ROUNDS === 0) void this.#compact();
	}

	async #compact(): Promise<void> {
		const { store, cache, onError } = this.#server;
		const revision = this.#compactNext;
		this.#compactNext = cache.revision;
		try {
			if (revision > 0) await store.compact(revision);
		} catch (error) {
			onError('compaction', error);
		}
	}
}
