/** The order of a merged list. */
export interface ListOrder {
	/** What the patch puts in order: those of the items that it names, like this. */
	readonly first: readonly unknown[];
	/** The order that the others keep among each other, and by which they find their place. */
	readonly rest: readonly unknown[];
	/** What tells two items apart. */
	readonly keyOf: (item: unknown) => unknown;
}

/**
 * The items in order: those that `first` names stand in its order, the others in that of `rest`. An
 * item of the others comes before one of the first when `rest` has both and says so; else it comes as
 * late as that allows.
 */
export function mergedOrder(
	items: readonly unknown[],
	{ first, rest, keyOf }: ListOrder,
): readonly unknown[] {
	const firstPlaces = placesOf(first, keyOf);
	const restPlaces = placesOf(rest, keyOf);
	const named = items.filter((item) => firstPlaces.has(keyOf(item)));
	const others = items.filter((item) => !firstPlaces.has(keyOf(item)));
	const left = sorted(others, (item) => restPlaces.get(keyOf(item)));
	const right = sorted(named, (item) => firstPlaces.get(keyOf(item)));
	const result: unknown[] = [];
	let at = 0;
	for (const item of right) {
		const place = restPlaces.get(keyOf(item));
		while (at < left.length && isBefore(restPlaces.get(keyOf(left[at])), place)) result.push(left[at++]);
		result.push(item);
	}
	return [...result, ...left.slice(at)];
}

function placesOf(list: readonly unknown[], keyOf: (item: unknown) => unknown): ReadonlyMap<unknown, number> {
	const places = new Map<unknown, number>();
	for (const [index, item] of list.entries()) {
		const key = keyOf(item);
		if (!places.has(key)) places.set(key, index);
	}
	return places;
}

function sorted(
	items: readonly unknown[],
	placeOf: (item: unknown) => number | undefined,
): readonly unknown[] {
	return items.toSorted((a, b) => (placeOf(a) ?? 0) - (placeOf(b) ?? 0));
}

function isBefore(a: number | undefined, b: number | undefined): boolean {
	return a !== undefined && b !== undefined && a < b;
}
