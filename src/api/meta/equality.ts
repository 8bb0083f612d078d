/**
 * Whether two values of the API mean the same (upstream: apiequality.Semantic.DeepEqual): what is
 * absent, an empty list and an empty map are equal; the order of keys does not matter. Quantities and
 * times are equal when their canonical spellings are, which decoding has seen to. Quick where the two
 * share parts, as a new version of an object does with the old one.
 */
export function semanticEqual(a: unknown, b: unknown): boolean {
	if (a === b) return true;
	if (isAbsent(a)) return isEmpty(b);
	if (isAbsent(b)) return isEmpty(a);
	if (typeof a !== 'object' || typeof b !== 'object') return false;
	if (Array.isArray(a) || Array.isArray(b)) {
		if (Array.isArray(a) && Array.isArray(b)) return listsEqual(a, b);
		return isEmpty(a) && isEmpty(b);
	}
	return recordsEqual(a, b);
}

/** Whether two JSON values are the same, absent and empty told apart; the order of keys does not matter. */
export function jsonEqual(a: unknown, b: unknown): boolean {
	if (a === b) return true;
	if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
	if (Array.isArray(a) || Array.isArray(b)) {
		if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
		return a.every((item, index) => jsonEqual(item, b[index]));
	}
	const left = a as Readonly<Record<string, unknown>>; // `as`: a JSON object is a record.
	const right = b as Readonly<Record<string, unknown>>;
	const keys = Object.keys(left);
	if (keys.length !== Object.keys(right).length) return false;
	return keys.every((key) => Object.hasOwn(right, key) && jsonEqual(left[key], right[key]));
}

function isAbsent(value: unknown): value is undefined | null {
	return value === undefined || value === null;
}

function isEmpty(value: unknown): boolean {
	if (isAbsent(value)) return true;
	if (typeof value !== 'object') return false;
	if (Array.isArray(value)) return value.length === 0;
	for (const key in value) {
		if (!isAbsent((value as Record<string, unknown>)[key])) return false;
	}
	return true;
}

function listsEqual(a: readonly unknown[], b: readonly unknown[]): boolean {
	if (a.length !== b.length) return false;
	for (let i = 0; i < a.length; i++) {
		if (!semanticEqual(a[i], b[i])) return false;
	}
	return true;
}

function recordsEqual(a: object, b: object): boolean {
	const left = a as Readonly<Record<string, unknown>>; // `as`: a JSON object is a record.
	const right = b as Readonly<Record<string, unknown>>;
	for (const key in left) {
		if (!semanticEqual(left[key], Object.hasOwn(right, key) ? right[key] : undefined)) return false;
	}
	for (const key in right) {
		if (!Object.hasOwn(left, key) && !isEmpty(right[key])) return false;
	}
	return true;
}
