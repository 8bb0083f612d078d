/** A table's column, as the server describes it. */
export interface PrintedColumn {
	readonly name: string;
	readonly priority: number;
}

/** Rows of cells under upper-cased headings, three blanks apart; `header` false leaves the headings out. */
export function tableText(
	columns: readonly string[],
	rows: readonly (readonly string[])[],
	options: { readonly header: boolean } = { header: true },
): string {
	const lines = options.header ? [columns.map((name) => name.toUpperCase()), ...rows] : rows;
	const widths = columns.map((_, i) => Math.max(0, ...lines.map((cells) => (cells[i] ?? '').length)));
	return lines
		.map((cells) =>
			cells.map((cell, i) => (i === cells.length - 1 ? cell : cell.padEnd((widths[i] ?? 0) + 3))).join(''),
		)
		.map((line) => `${line.trimEnd()}\n`)
		.join('');
}
