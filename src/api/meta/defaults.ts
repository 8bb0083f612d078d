/**
 * How defaults are filled in: a part that lacks nothing is returned as it came, so that a second pass over
 * a defaulted object costs a look and shares everything.
 */

/** `object` with the values of `defaults` where it has none; the same object if it lacks nothing. */
export function withDefaults<T extends object>(object: T, defaults: Partial<T>): T {
	for (const key in defaults) {
		if (object[key] === undefined) return { ...defaults, ...object };
	}
	return object;
}

/** The same, where 0 and empty text count as having none too. */
export function withDefaultsForZeros<T extends object>(object: T, defaults: Partial<T>): T {
	let result = object;
	for (const key in defaults) {
		if (!object[key]) result = { ...result, [key]: defaults[key] };
	}
	return result;
}

/** `object` with `key` changed; the same object where the value is the same or not there. */
export function withField<T extends object, K extends keyof T>(
	object: T,
	key: K,
	change: (value: NonNullable<T[K]>) => T[K],
): T {
	const value = object[key];
	if (value === undefined || value === null) return object;
	const changed = change(value);
	return changed === value ? object : { ...object, [key]: changed };
}

/** As map, but returns `items` itself where nothing changed. */
export function mapShared<T>(items: readonly T[], change: (item: T) => T): readonly T[] {
	let changed: T[] | undefined;
	for (const [index, item] of items.entries()) {
		const next = change(item);
		if (next === item) continue;
		changed ??= [...items];
		changed[index] = next;
	}
	return changed ?? items;
}
