/**
 * Quotes a text as upstream does in messages, which is Go's `%q` (strconv.Quote): in double quotes, with quotes,
 * backslashes and unprintable characters escaped. Printable characters of any script stay unescaped.
 */
export function quote(text: string): string {
	if (/^[ !#-[\]-~]*$/.test(text)) return `"${text}"`;
	let quoted = '';
	for (const char of text) quoted += escaped(char);
	return `"${quoted}"`;
}

const SHORT_ESCAPES: ReadonlyMap<string, string> = new Map([
	['"', '\\"'],
	['\\', '\\\\'],
	['\x07', '\\a'],
	['\b', '\\b'],
	['\f', '\\f'],
	['\n', '\\n'],
	['\r', '\\r'],
	['\t', '\\t'],
	['\v', '\\v'],
]);

function escaped(char: string): string {
	const short = SHORT_ESCAPES.get(char);
	if (short !== undefined) return short;
	if (char === ' ' || /[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(char)) return char;
	const code = char.codePointAt(0) ?? 0;
	if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
	if (code < 0x10000) return `\\u${code.toString(16).padStart(4, '0')}`;
	return `\\U${code.toString(16).padStart(8, '0')}`;
}
