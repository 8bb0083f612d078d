import { FifoSet } from './fifo-set.ts';

/**
 * A map of at most `limit` keys: a new key in a full map evicts the least recently used key. Both reading
 * and writing count as use. Every operation takes constant time.
 */
export class LruMap<V> {
	readonly #limit: number;
	readonly #values = new Map<string, V>();
	/** The keys, least recently used first. */
	readonly #keys = new FifoSet<string>();

	constructor(limit: number) {
		this.#limit = limit;
	}

	/** The number of keys. */
	get size(): number {
		return this.#values.size;
	}

	/** The value of `key`, which becomes the most recently used; undefined if the map does not have it. */
	get(key: string): V | undefined {
		return this.#keys.renew(key) ? this.#values.get(key) : undefined;
	}

	/** Sets the value of `key`, which becomes the most recently used. */
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
