/** Reads values of JSON that another program has written. A missing or unexpected value is the empty one of its type. */
import { isList, isRecord } from '../base/json/json.ts';

/** The value at `path`; undefined if a part of the path is missing. */
export function valueAt(value: unknown, ...path: readonly string[]): unknown {
	return path.reduce<unknown>(
		(at, key) => (isRecord(at) && Object.hasOwn(at, key) ? at[key] : undefined),
		value,
	);
}

/** The text at `path`. */
export function stringAt(value: unknown, ...path: readonly string[]): string {
	const found = valueAt(value, ...path);
	return typeof found === 'string' ? found : '';
}

/** The number at `path`. */
export function numberAt(value: unknown, ...path: readonly string[]): number {
	const found = valueAt(value, ...path);
	return typeof found === 'number' ? found : 0;
}

/** The items of the list at `path`. */
export function itemsAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
	const found = valueAt(value, ...path);
	return isList(found) ? found : [];
}

/** The time at `path` in ms since the epoch; undefined for Go's zero time, which means that it has not happened. */
export function timeAt(value: unknown, ...path: readonly string[]): number | undefined {
	const text = stringAt(value, ...path);
	const time = text.startsWith('0001-') ? Number.NaN : Date.parse(text);
	return Number.isNaN(time) ? undefined : time;
}
