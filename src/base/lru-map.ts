import { FifoSet } from './fifo-set.ts';

/**
 * A map of at most `limit` keys: when it is full, a new key replaces the one that was read or written
 * longest ago. Every operation takes constant time.
 */
export class LruMap<V> {
	readonly #limit: number;
	readonly #values = new Map<string, V>();
	/** The key that was used longest ago comes first. */
	readonly #keys = new FifoSet<string>();

	constructor(limit: number) {
		this.#limit = limit;
	}

	/** How many keys there are. */
	get size(): number {
		return this.#values.size;
	}

	/** The value of `key`, which counts as used now; undefined if the map does not have it. */
	get(key: string): V | undefined {
		return this.#keys.renew(key) ? this.#values.get(key) : undefined;
	}

	/** Sets the value of `key`, which counts as used now. */
	set(key: string, value: V): void {
		if (!this.#keys.renew(key)) this.#keys.add(key);
		this.#values.set(key, value);
		const { first } = this.#keys;
		if (this.size > this.#limit && first !== undefined) this.delete(first);
	}

	/** Removes `key`, if the map has it. */
	delete(key: string): void {
		this.#keys.delete(key);
		this.#values.delete(key);
	}
}
