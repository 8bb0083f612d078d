import { isList, isRecord, JsonNumber, type JsonRecord } from '../../base/json/json.ts';

/**
 * Whether two API values are semantically equal (upstream: apiequality.Semantic.DeepEqual): an absent value,
 * an empty list and an empty map are equal, and the order of keys does not matter. Quantities and times are
 * compared as text, since decoding has made their spelling canonical. Shared parts are equal by identity, so
 * comparing two versions of an object costs little.
 */
export function semanticEqual(a: unknown, b: unknown): boolean {
	if (a === b) return true;
	if (isAbsent(a)) return isEmpty(b);
	if (isAbsent(b)) return isEmpty(a);
	if (isList(a) && isList(b)) return listsEqual(a, b);
	if (isRecord(a) && isRecord(b)) return recordsEqual(a, b);
	return typeof a === 'object' && typeof b === 'object' && isEmpty(a) && isEmpty(b);
}

/** Whether two JSON values are equal. Absent and empty values differ; the order of keys does not matter. */
export function jsonEqual(a: unknown, b: unknown): boolean {
	if (a === b) return true;
	if (isList(a) && isList(b)) {
		return a.length === b.length && a.every((item, index) => jsonEqual(item, b[index]));
	}
	if (!isRecord(a) || !isRecord(b)) {
		return a instanceof JsonNumber && b instanceof JsonNumber && a.source === b.source;
	}
	const keys = Object.keys(a);
	if (keys.length !== Object.keys(b).length) return false;
	return keys.every((key) => Object.hasOwn(b, key) && jsonEqual(a[key], b[key]));
}

function isAbsent(value: unknown): value is undefined | null {
	return value === undefined || value === null;
}

function isEmpty(value: unknown): boolean {
	if (isAbsent(value)) return true;
	if (isList(value)) return value.length === 0;
	if (!isRecord(value)) return false;
	for (const key in value) {
		if (!isAbsent(value[key])) return false;
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

function recordsEqual(a: JsonRecord, b: JsonRecord): boolean {
	for (const key in a) {
		if (!semanticEqual(a[key], Object.hasOwn(b, key) ? b[key] : undefined)) return false;
	}
	for (const key in b) {
		if (!Object.hasOwn(a, key) && !isEmpty(b[key])) return false;
	}
	return true;
}
