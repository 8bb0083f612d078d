/**
 * The first item of each key, in the order of the list: to look items of one list up in another one. With
 * `find` for each item that takes as many steps as the lengths of the two lists multiplied.
 */
export function firstByKey<K, T>(items: readonly T[], keyOf: (item: T) => K): ReadonlyMap<K, T> {
	const found = new Map<K, T>();
	for (const item of items) {
		const key = keyOf(item);
		if (!found.has(key)) found.set(key, item);
	}
	return found;
}
