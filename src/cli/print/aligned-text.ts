/**
 * Lays out text with tabs in columns by the rules of Go's text/tabwriter, with which kubectl prints: a tab
 * ends a cell; cells below each other in consecutive lines form a column as wide as its widest cell; the text
 * after the last tab of a line belongs to no column. No package does this: cli-table3 and the like size a
 * column over all lines.
 */

/** The width of columns: the characters of the widest cell and `padding` spaces, but at least `minWidth`. */
export interface ColumnStyle {
	readonly minWidth: number;
	readonly padding: number;
}

/** The style of `kubectl describe`. */
export const DESCRIBE_STYLE: ColumnStyle = { minWidth: 0, padding: 2 };

/** The style of `kubectl get`. */
export const TABLE_STYLE: ColumnStyle = { minWidth: 6, padding: 3 };

/** `text` with its tabs replaced by spaces. */
export function alignText(text: string, style: ColumnStyle): string {
	const lines = text.split('\n').map((line) => line.split('\t'));
	const widths: number[][] = lines.map(() => []);
	measure({ lines, widths, style }, 0, { begin: 0, end: lines.length });
	return lines.map((cells, index) => layOut(cells, widths[index] ?? [])).join('\n');
}

/** The width of a column of the cells `texts`. */
export function columnWidth(texts: Iterable<string>, { minWidth, padding }: ColumnStyle): number {
	let width = minWidth;
	for (const text of texts) width = Math.max(width, lengthOf(text) + padding);
	return width;
}

/** One line: each cell but the last is padded to the width of its column. */
export function layOut(cells: readonly string[], widths: readonly number[]): string {
	return cells
		.map((cell, index) => {
			if (index === cells.length - 1) return cell;
			return cell + ' '.repeat(Math.max((widths[index] ?? 0) - lengthOf(cell), 0));
		})
		.join('');
}

/** The number of code points of a text: tabwriter counts runes, JavaScript's length counts UTF-16 units. */
function lengthOf(text: string): number {
	let length = 0;
	for (const _ of text) length++;
	return length;
}

interface Layout {
	readonly lines: readonly (readonly string[])[];
	/** Per line, the widths of its columns so far. */
	readonly widths: number[][];
	readonly style: ColumnStyle;
}

/** The lines from `begin` (included) to `end` (excluded). */
interface LineRange {
	readonly begin: number;
	readonly end: number;
}

/** Sets the widths of `column` and the columns to its right in a range of lines. */
function measure(layout: Layout, column: number, { begin, end }: LineRange): void {
	const { lines, widths, style } = layout;
	const hasColumn = (line: number): boolean => column < (lines[line]?.length ?? 0) - 1;
	for (let line = begin; line < end; line++) {
		if (!hasColumn(line)) continue;
		const first = line;
		while (line < end && hasColumn(line)) line++;
		const width = columnWidth(
			lines.slice(first, line).map((cells) => cells[column] ?? ''),
			style,
		);
		for (const each of widths.slice(first, line)) each.push(width);
		measure(layout, column + 1, { begin: first, end: line });
	}
}
