import { compareText } from '../../base/compare-text.ts';
import { isList, isRecord } from '../../base/json/json.ts';

/**
 * JSON as kubectl prints it: sorted keys, indented by four spaces, `<`, `>` and `&` escaped, with a final
 * newline.
 */
export function toJson(value: unknown): string {
	return `${escapeHtml(JSON.stringify(sorted(value), undefined, 4))}\n`;
}

/** JSON on one line, as Go's encoding/json writes it: sorted keys, `<`, `>` and `&` escaped. */
export function toCompactJson(value: unknown): string {
	return escapeHtml(JSON.stringify(sorted(value)));
}

function sorted(value: unknown): unknown {
	if (isList(value)) return value.map(sorted);
	if (!isRecord(value)) return value;
	const entries = Object.entries(value).sort(([a], [b]) => compareText(a, b));
	return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}

/** Escapes the characters that Go's encoder escapes to make JSON safe inside HTML. */
export function escapeHtml(json: string): string {
	return json.replace(
		/[<>&\u2028\u2029]/g,
		(char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
	);
}
