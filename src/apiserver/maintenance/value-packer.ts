import type { Clock, Timer } from '../../base/clock.ts';
import { nextTurn } from '../../base/turn.ts';
import type { ObjectCache } from '../storage/object-cache.ts';
import type { ResourceCache } from '../storage/resource-cache.ts';
import type { StoredObject } from '../storage/stored-object.ts';
import { type Compression, ValuePages } from '../storage/value-pages.ts';

/** An object that was last written before the previous round is packed: it is unchanged for 3 to 6 seconds. */
const ROUND_MS = 3_000;

/** The size of a page before compression, in bytes. */
const PAGE_BYTES = 64 * 1024;

/** The packer yields to other work after it has inspected so many objects. */
const OBJECTS_IN_A_TURN = 1_000;

/** What a {@link ValuePacker} works with. */
export interface ValuePackerOptions {
	readonly cache: ObjectCache;
	readonly clock: Clock;
	/** Loads the compression. Called before the first page is packed, since loading it would delay the start. */
	loadCompression(): Promise<Compression>;
	readonly onError: (error: unknown) => void;
}

/** Compresses the values of objects that no client has changed for some seconds; see value-pages.ts. */
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

	/** Stops the rounds. */
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
			// Since the last round no object has changed, and none has become old enough.
			if (last?.changedAt === resource.changedAt && last.restedAt >= last.changedAt) continue;
			this.#rounds.set(resource, { changedAt: resource.changedAt, restedAt: before });
			await this.#pack(resource, before);
		}
	}

	/** Packs the objects that were last written at revision `rested` or before, a full page at a time. */
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
			// A page takes a fraction of a millisecond, but a value of 3 MB makes a page of its own and takes several.
			await nextTurn();
			if (this.#stopped) return;
			waiting = [];
			bytes = 0;
		}
	}

	async #packTogether(resource: ResourceCache, waiting: readonly StoredObject[]): Promise<void> {
		this.#pages ??= new ValuePages(await this.#options.loadCompression());
		// An object that was replaced or removed meanwhile would never be released from the page.
		const live = waiting.filter((stored) => resource.at(stored.key) === stored);
		const packed = this.#pages.pack(live.map(({ value }) => value));
		for (const [index, stored] of live.entries()) {
			const value = packed[index];
			if (value) stored.pack(value);
		}
	}
}

/** The last round over a resource, as revisions: its last change then, and up to where objects were packed. */
interface Round {
	readonly changedAt: number;
	readonly restedAt: number;
}
