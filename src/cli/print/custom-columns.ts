import { alignText, TABLE_STYLE } from './aligned-text.ts';
import { findAll, printed } from './jsonpath.ts';
import { JsonPathError, type Path, parseRelaxedPath } from './jsonpath-parser.ts';

/** A column of `-o custom-columns=NAME:.metadata.name,…`. */
export interface CustomColumn {
	readonly heading: string;
	readonly path: Path;
}

/** Parses the text after `custom-columns=`. Throws a JsonPathError. */
export function parseCustomColumns(text: string): readonly CustomColumn[] {
	// A comma within brackets belongs to a union of the path.
	return text.split(/,(?![^[]*\])/).map((part) => {
		const colon = part.indexOf(':');
		if (colon < 1) {
			throw new JsonPathError(`unexpected custom-columns spec: ${part}, expected <header>:<json-path-expr>`);
		}
		return { heading: part.slice(0, colon), path: parseRelaxedPath(part.slice(colon + 1)) };
	});
}

/** The objects as rows below the headings. A cell is `<none>` if its path finds nothing. */
export function customColumnsText(
	columns: readonly CustomColumn[],
	objects: readonly unknown[],
	options: { readonly header: boolean },
): string {
	const rows = objects.map((object) => columns.map(({ path }) => cell(findAll(path, object))));
	const lines = options.header ? [columns.map(({ heading }) => heading), ...rows] : rows;
	return alignText(lines.map((cells) => `${cells.join('\t')}\n`).join(''), TABLE_STYLE);
}

/** As in kubectl, several values of a path are one cell, and null counts as nothing. */
function cell(found: readonly unknown[]): string {
	const texts = found.filter((value) => value !== null && value !== undefined).map(printed);
	return texts.length === 0 ? '<none>' : texts.join(',');
}
