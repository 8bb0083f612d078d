import type { Clock, Timer } from '../base/clock.ts';
import { nextTurn } from '../base/turn.ts';
import type { ObjectCache } from './object-cache.ts';
import type { ResourceCache } from './resource-cache.ts';
import type { StoredObject } from './stored-object.ts';
import { type Compression, ValuePages } from './value-pages.ts';

/** What was written before the last round, and not since, is packed: it has rested for 3 to 6 seconds. */
const ROUND_MS = 3_000;

/** How many bytes of values make a page. */
const PAGE_BYTES = 64 * 1024;

/** Other work has its turn after so many objects were looked at. */
const OBJECTS_IN_A_TURN = 1_000;

/** What a {@link ValuePacker} works with. */
export interface ValuePackerOptions {
	readonly cache: ObjectCache;
	readonly clock: Clock;
	/** Loaded when there is first something to pack: it costs milliseconds at a start. */
	loadCompression(): Promise<Compression>;
	readonly onError: (error: unknown) => void;
}

/** Compresses the values of objects that nobody has written for a while; see value-pages.ts. */
export class ValuePacker {
	readonly #options: ValuePackerOptions;
	readonly #rounds = new Map<ResourceCache, Round>();
	#pages: ValuePages | undefined;
	#timer: Timer | undefined;
	#stopped = false;
	#restedAt = 0;

	constructor(options: ValuePackerOptions) {
		this.#options = options;
	}

	/** Starts the rounds; the cache must be loaded. */
	start(): void {
		const { clock, onError } = this.#options;
		this.#timer = clock.setTimer(ROUND_MS, async () => {
			try {
				await this.#goRound();
			} catch (error) {
				onError(error);
			}
			if (!this.#stopped) this.start();
		});
	}

	/** Ends them. */
	stop(): void {
		this.#stopped = true;
		this.#timer?.cancel();
	}

	async #goRound(): Promise<void> {
		const { cache } = this.#options;
		const before = this.#restedAt;
		this.#restedAt = cache.revision;
		for (const resource of cache.resources) {
			if (this.#stopped) return;
			const last = this.#rounds.get(resource);
			// Nothing has come to rest, and nothing has gone, since the last time.
			if (last?.changedAt === resource.changedAt && last.restedAt >= last.changedAt) continue;
			this.#rounds.set(resource, { changedAt: resource.changedAt, restedAt: before });
			await this.#pack(resource, before);
		}
	}

	/** Packs what was last written at `rested` or before. Less than a page of it stays as it is. */
	async #pack(resource: ResourceCache, rested: number): Promise<void> {
		let looked = 0;
		let waiting: StoredObject[] = [];
		let bytes = 0;
		for (const stored of resource.all()) {
			if (++looked % OBJECTS_IN_A_TURN === 0) await nextTurn();
			if (stored.revision > rested || stored.isPacked) continue;
			waiting.push(stored);
			bytes += stored.size;
			if (bytes < PAGE_BYTES) continue;
			await this.#packTogether(resource, waiting);
			if (this.#stopped) return;
			waiting = [];
			bytes = 0;
		}
	}

	async #packTogether(resource: ResourceCache, waiting: readonly StoredObject[]): Promise<void> {
		this.#pages ??= new ValuePages(await this.#options.loadCompression());
		// Some were replaced or removed meanwhile; those would never be released from the page.
		const live = waiting.filter((stored) => resource.at(stored.key) === stored);
		const packed = this.#pages.pack(live.map(({ value }) => value));
		for (const [index, stored] of live.entries()) {
			const value = packed[index];
			if (value) stored.pack(value);
		}
	}
}

/** When a resource was last gone through, as revisions: its last change, and what counted as rested. */
interface Round {
	readonly changedAt: number;
	readonly restedAt: number;
}
