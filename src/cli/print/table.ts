import { isRecord, type JsonRecord } from '../../base/json/json.ts';
import { listAt, objectAt, textAt } from '../../client/raw-object.ts';
import { columnWidth, layOut, TABLE_STYLE } from './aligned-text.ts';
import { escapeControls } from './terminal-text.ts';

/** Options of printing tables. */
export interface TableView {
	/** Prints also the columns with a priority above 0 (`-o wide`). */
	readonly wide: boolean;
	readonly headers: boolean;
	/** Prints the namespace of each row in a first column. */
	readonly withNamespace: boolean;
	/** Printed before each name: `job.batch/`. */
	readonly prefix: string;
	/** Prints all labels of each row in a last column. */
	readonly showLabels: boolean;
	/** Prints the value of each of these labels in a column. */
	readonly labelColumns: readonly string[];
}

/**
 * Prints tables that the server sends (metav1.Table). During a watch it prints one table per event: the first
 * with headings, the later ones aligned to the columns of the first, since later events carry no column
 * definitions.
 */
export class TablePrinter {
	readonly #view: TableView;
	#columns: readonly Column[] = [];
	#widths: readonly number[] = [];
	#headersDue: boolean;

	constructor(view: TableView) {
		this.#view = view;
		this.#headersDue = view.headers;
	}

	/** The text of a table's rows; empty if it has none. */
	print(table: unknown): string {
		const definitions = listAt(table, 'columnDefinitions');
		if (definitions.length > 0) this.#columns = columnsOf(definitions, this.#view);
		const rows = listAt(table, 'rows').map((row) => this.#columns.map(({ cell }) => cell(row)));
		if (rows.length === 0) return '';
		const lines = this.#headersDue ? [this.#columns.map(({ heading }) => heading), ...rows] : rows;
		this.#headersDue = false;
		// Widths never shrink during a watch: rows that are already printed keep their alignment with later ones.
		this.#widths = this.#columns.map((_, index) =>
			Math.max(
				this.#widths[index] ?? 0,
				columnWidth(
					lines.map((cells) => cells[index] ?? ''),
					TABLE_STYLE,
				),
			),
		);
		return lines.map((cells) => `${layOut(cells, this.#widths)}\n`).join('');
	}
}

/** A column: its heading, and how it reads a cell of a row. */
interface Column {
	readonly heading: string;
	cell(row: unknown): string;
}

/** The columns to print: namespace, those of the table, label columns, all labels. The order is kubectl's. */
function columnsOf(definitions: readonly unknown[], view: TableView): readonly Column[] {
	const shown = definitions.flatMap((definition, index): Column[] => {
		const { priority, format } = isRecord(definition) ? definition : {};
		if (!view.wide && typeof priority === 'number' && priority > 0) return [];
		const name = textAt(definition, 'name') ?? '';
		const prefix = format === 'name' ? view.prefix : '';
		return [{ heading: name.toUpperCase(), cell: (row) => prefix + cellText(listAt(row, 'cells')[index]) }];
	});
	const namespace: Column = {
		heading: 'NAMESPACE',
		cell: (row) => textAt(metadataOf(row), 'namespace') ?? '',
	};
	const labels: Column = {
		heading: 'LABELS',
		cell: (row) => labelsText(objectAt(metadataOf(row), 'labels')),
	};
	return [
		...(view.withNamespace ? [namespace] : []),
		...shown,
		...view.labelColumns.map(
			(label): Column => ({
				heading: (label.split('/').at(-1) ?? '').toUpperCase(),
				cell: (row) => textAt(objectAt(metadataOf(row), 'labels'), label) ?? '',
			}),
		),
		...(view.showLabels ? [labels] : []),
	];
}

/** The server sends the metadata of each row's object, by default without the rest (`includeObject=Metadata`). */
function metadataOf(row: unknown): JsonRecord {
	return objectAt(objectAt(row, 'object'), 'metadata');
}

/** The text of a cell. As in kubectl, a text of several lines is cut after the first one. */
function cellText(cell: unknown): string {
	const text = cell === null || cell === undefined ? '' : String(cell);
	const end = text.search(/[\r\n\f]/);
	return escapeControls(end < 0 ? text.replaceAll('\t', ' ') : `${text.slice(0, end)}...`);
}

/** Sorted, since the order of a map means nothing. */
function labelsText(labels: JsonRecord): string {
	const pairs = Object.keys(labels)
		.sort()
		.map((key) => `${key}=${labels[key]}`);
	return escapeControls(pairs.join(',')) || '<none>';
}
