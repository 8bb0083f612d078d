/**
 * The function `make`, which then runs once for each object: later calls with the same object (by identity)
 * return the first result, kept as long as the object lives. For objects that never change.
 */
export function memoize<K extends object, V extends object>(make: (key: K) => V): (key: K) => V {
	const made = new WeakMap<K, V>();
	return (key) => {
		const known = made.get(key);
		if (known !== undefined) return known;
		const value = make(key);
		made.set(key, value);
		return value;
	};
}
