import { compareText } from '../../base/compare-text.ts';
import { isList, JsonNumber } from '../../base/json/json.ts';

/** Formats a JSON value as Go does with `%+v`, which some upstream messages contain: `map[a:1 b:[x y]]`. */
export function goText(value: unknown): string {
	if (value === null || value === undefined) return '<nil>';
	if (value instanceof JsonNumber) return String(Number(value.source));
	if (typeof value !== 'object') return String(value);
	if (isList(value)) return `[${value.map(goText).join(' ')}]`;
	const entries = Object.entries(value).sort(([a], [b]) => compareText(a, b));
	return `map[${entries.map(([key, item]) => `${key}:${goText(item)}`).join(' ')}]`;
}
