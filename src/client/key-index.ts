/**
 * Files keys under values: `namespace/name` of each Pod under the UID of its owner, say. Most values have
 * one key, which is held as it is; a Set is made for the second (a Set of one key takes 200 bytes, and
 * a server with 10,000 finished Jobs had 52,000 of them).
 */
export class KeyIndex {
	readonly #filed = new Map<string, string | Set<string>>();

	/** Files `key` under `value`; does nothing if it is there. */
	add(value: string, key: string): void {
		const filed = this.#filed.get(value);
		if (filed === undefined) this.#filed.set(value, key);
		else if (typeof filed !== 'string') filed.add(key);
		else if (filed !== key) this.#filed.set(value, new Set([filed, key]));
	}

	/** Removes `key` from under `value`; does nothing if it is not there. */
	remove(value: string, key: string): void {
		const filed = this.#filed.get(value);
		if (filed === key) this.#filed.delete(value);
		else if (filed instanceof Set && filed.delete(key) && filed.size === 0) this.#filed.delete(value);
	}

	/** The keys under `value`, in the order in which they were filed. */
	keys(value: string): Iterable<string> {
		const filed = this.#filed.get(value);
		if (filed === undefined) return [];
		return typeof filed === 'string' ? [filed] : filed;
	}

	/** How many values have keys. */
	get size(): number {
		return this.#filed.size;
	}
}
