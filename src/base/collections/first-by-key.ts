/**
 * Maps each key to the first item in the list that has it. For looking up the items of one list in another:
 * calling `find` for each item would take quadratic time.
 */
export function firstByKey<K, T>(items: readonly T[], keyOf: (item: T) => K): ReadonlyMap<K, T> {
	const found = new Map<K, T>();
	for (const item of items) {
		const key = keyOf(item);
		if (!found.has(key)) found.set(key, item);
	}
	return found;
}
