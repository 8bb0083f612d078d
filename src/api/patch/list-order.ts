/** The order of a merged list (upstream: normalizeElementOrder in strategicpatch). */
export interface ListOrder {
	/** The order that the patch sets, for the items that it contains. */
	readonly first: readonly unknown[];
	/** The order of the other items, usually that of the live list. */
	readonly rest: readonly unknown[];
	/** Identifies an item: its merge key, or the value itself. */
	readonly keyOf: (item: unknown) => unknown;
}

/**
 * Sorts the items: those in `first` by its order, all others by that of `rest`. One of the others precedes an
 * item of `first` only if `rest` contains both in that order; otherwise it follows as late as the order
 * allows.
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
