/** A line of a description: a name and what is to be said of it; a list goes below each other. */
export type Line = readonly [name: string, value: string | number | readonly string[] | undefined];

const VALUE_COLUMN = 18;

/** Lines with their values in one column; those without a value are left out. */
export function fieldsText(lines: readonly Line[]): string {
	return lines
		.flatMap(([name, value]) => {
			if (value === undefined) return [];
			const values = Array.isArray(value) ? value : [String(value)];
			const [first = '<none>', ...rest] = values;
			const head = `${`${name}:`.padEnd(VALUE_COLUMN - 1)} ${first}`;
			return [head, ...rest.map((each) => ' '.repeat(VALUE_COLUMN) + each)];
		})
		.map((line) => `${line.trimEnd()}\n`)
		.join('');
}

/** A map as `key=value`, one below the other. */
export function pairs(map: Readonly<Record<string, string>> | undefined): readonly string[] {
	return Object.entries(map ?? {})
		.sort(([a], [b]) => (a < b ? -1 : 1))
		.map(([key, value]) => `${key}=${value}`);
}

/** An instant in the form of descriptions. */
export function instant(text: string | undefined): string | undefined {
	return text?.replace('T', ' ').replace('Z', ' UTC');
}
