import { isRawObject } from '../../client/raw-object.ts';

/** JSON as kubectl prints it: keys sorted, four blanks deep, `<`, `>` and `&` escaped; with a line end. */
export function toJson(value: unknown): string {
	return `${escapeHtml(JSON.stringify(sorted(value), undefined, 4))}\n`;
}

/** JSON in one line, as Go writes it: keys sorted, `<`, `>` and `&` escaped. */
export function toCompactJson(value: unknown): string {
	return escapeHtml(JSON.stringify(sorted(value)));
}

function sorted(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(sorted);
	if (!isRawObject(value)) return value;
	const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
	return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}

/** Go's encoder escapes these, so that its JSON can stand in HTML. */
function escapeHtml(json: string): string {
	return json.replace(
		/[<>&\u2028\u2029]/g,
		(char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
	);
}
