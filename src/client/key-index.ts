/**
 * Maps values to the keys of objects: the UID of an owner to the `namespace/name` of each of its Pods, for
 * example. Most values have one key, which is stored without a Set: a Set of one key takes 200 bytes, and a
 * server with 10,000 finished Jobs had 52,000 of them.
 */
export class KeyIndex {
	readonly #keysByValue = new Map<string, string | Set<string>>();

	/** Adds `key` to the keys of `value`, unless it is one of them. */
	add(value: string, key: string): void {
		const keys = this.#keysByValue.get(value);
		if (keys === undefined) this.#keysByValue.set(value, key);
		else if (typeof keys !== 'string') keys.add(key);
		else if (keys !== key) this.#keysByValue.set(value, new Set([keys, key]));
	}

	/** Removes `key` from the keys of `value`, if it is one of them. */
	remove(value: string, key: string): void {
		const keys = this.#keysByValue.get(value);
		if (keys === key) this.#keysByValue.delete(value);
		else if (keys instanceof Set && keys.delete(key) && keys.size === 0) this.#keysByValue.delete(value);
	}

	/** The keys of `value`, in the order of their addition. */
	keys(value: string): Iterable<string> {
		const keys = this.#keysByValue.get(value);
		if (keys === undefined) return [];
		return typeof keys === 'string' ? [keys] : keys;
	}

	/** The number of values that have keys. */
	get size(): number {
		return this.#keysByValue.size;
	}
}
