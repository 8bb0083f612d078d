/**
 * Helpers that set defaults. They return a part that has no gaps itself, not a copy: defaulting runs on every
 * object that is read, and a second pass over a defaulted object allocates nothing.
 */

/** `object` with the values of `defaults` for its undefined fields; `object` itself if it has none. */
export function withDefaults<T extends object>(object: T, defaults: Partial<T>): T {
	for (const key in defaults) {
		if (object[key] === undefined) return { ...defaults, ...object };
	}
	return object;
}

/** As {@link withDefaults}, but sets the default of fields that are 0, false or empty text as well. */
export function withDefaultsForZeros<T extends object>(object: T, defaults: Partial<T>): T {
	let result = object;
	for (const key in defaults) {
		if (!object[key]) result = { ...result, [key]: defaults[key] };
	}
	return result;
}

/** `object` with `change` applied to the field `key`; `object` itself if the field is absent or unchanged. */
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

/** The names of the fields that objects of this type may lack. */
export type OptionalKey<T> = {
	[K in keyof T]-?: Record<never, never> extends Pick<T, K> ? K : never;
}[keyof T];

/** `object` without the optional field `key`; `object` itself if the field is absent. */
export function withoutField<T extends object>(object: T, key: OptionalKey<T>): T;
/** The implementation: the overload says what it promises. */
export function withoutField(object: Readonly<Record<PropertyKey, unknown>>, key: PropertyKey): object {
	if (object[key] === undefined) return object;
	const { [key]: _, ...rest } = object;
	return rest;
}

/** As Array.map, but returns `items` itself if `change` returned every item unchanged. */
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
