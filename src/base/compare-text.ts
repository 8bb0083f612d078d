/**
 * Orders two texts by their UTF-16 units, for `sort`. Go sorts by UTF-8 bytes, which is the same order below
 * U+10000. It does not depend on the locale, as `localeCompare` does.
 */
export function compareText(a: string, b: string): number {
	if (a === b) return 0;
	return a < b ? -1 : 1;
}
