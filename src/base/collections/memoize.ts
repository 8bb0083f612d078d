/**
 * Wraps `make` so that it runs once for each object: later calls with the same object (by identity) return
 * the first result, which is kept as long as the object is reachable. The objects must be immutable.
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
