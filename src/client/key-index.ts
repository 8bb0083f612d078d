/**
 * Maps values to the keys of objects: the UID of an owner to the `namespace/name` of each of its Pods, for
 * example. Most values have one key, which is stored without a Set: a Set of one key takes 200 bytes, and a
 * server with 10,000 finished Jobs had 52,000 of them.
 */
export class KeyIndex {
	readonly #filed = new Map<string, string | Set<string>>();

	/** Adds `key` to the keys of `value`, unless it is one of them. */
	add(value: string, key: string): void {
		const filed = this.#filed.get(value);
		if (filed === undefined) this.#filed.set(value, key);
		else if (typeof filed !== 'string') filed.add(key);
		else if (filed !== key) this.#filed.set(value, new Set([filed, key]));
	}

	/** Removes `key` from the keys of `value`, if it is one of them. */
	remove(value: string, key: string): void {
		const filed = this.#filed.get(value);
		if (filed === key) this.#filed.delete(value);
		else if (filed instanceof Set && filed.delete(key) && filed.size === 0) this.#filed.delete(value);
	}

	/** The keys of `value`, in the order of their addition. */
	keys(value: string): Iterable<string> {
		const filed = this.#filed.get(value);
		if (filed === undefined) return [];
		return typeof filed === 'string' ? [filed] : filed;
	}

	/** The number of values that have keys. */
	get size(): number {
		return this.#filed.size;
	}
}
