import { badRequest } from './api-error.ts';
import { FieldPath } from './field.ts';
import { invalid as invalidField } from './field-errors.ts';
import type { KubeObject, ObjectMeta } from './object-meta.ts';
import type { ResourceDefinition } from './resource.ts';

/** Lists as kubectl shows them: the server fills in the cells (metav1.Table). */

/** The versions in which Tables and metadata alone can be asked for; they differ in nothing but their name. */
export type MetaVersion = 'v1' | 'v1beta1';

type MetaApiVersion = `meta.k8s.io/${MetaVersion}`;

/** metav1.Table, as sent. */
export interface Table {
	readonly kind: 'Table';
	readonly apiVersion: MetaApiVersion;
	readonly metadata: TableMeta;
	/** Null in the events of a watch after the first. */
	readonly columnDefinitions: readonly ColumnDefinition[] | null;
	readonly rows: readonly TableRow[];
}

/** What the metadata of a list says. */
export interface TableMeta {
	readonly resourceVersion?: string;
	readonly continue?: string;
	readonly remainingItemCount?: number;
}

/** metav1.TableColumnDefinition. */
export interface ColumnDefinition {
	readonly name: string;
	readonly type: string;
	readonly format: string;
	readonly description: string;
	readonly priority: number;
}

/** metav1.TableRow. */
export interface TableRow {
	readonly cells: readonly (string | number | boolean)[];
	readonly object: KubeObject | PartialObjectMetadata | null;
}

/** An object's metadata alone. */
export interface PartialObjectMetadata {
	readonly kind: 'PartialObjectMetadata';
	readonly apiVersion: MetaApiVersion;
	readonly metadata: ObjectMeta;
}

/** How much of its object a row carries. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

/** Reads the query's `includeObject`; absent or empty is Metadata. Throws BadRequest on anything else. */
export function includeObjectOf(text: string | undefined): IncludeObject {
	switch (text) {
		case undefined:
		case '':
			return 'Metadata';
		case 'None':
		case 'Metadata':
		case 'Object':
			return text;
		default: {
			const detail = "must be 'Metadata', 'Object', 'None', or empty";
			const error = invalidField(new FieldPath('includeObject'), text, detail);
			throw badRequest(`Unable to convert to Table as requested: ${error.field}: ${error.message}`);
		}
	}
}

/** What the rows of a Table depend on, beside the objects. */
export interface RowOptions {
	readonly version: MetaVersion;
	readonly includeObject: IncludeObject;
	/** For ages and durations, in milliseconds. */
	readonly now: number;
}

/** What {@link tableOf} needs beside the objects. */
export interface TableOptions extends RowOptions {
	readonly metadata: TableMeta;
	/** Without column definitions, for the later events of a watch. */
	readonly headless?: boolean;
}

type Columned<T extends KubeObject> = Pick<ResourceDefinition<T>, 'columns'>;

/** The objects of one resource as a table. */
export function tableOf<T extends KubeObject>(
	definition: Columned<T>,
	objects: readonly T[],
	options: TableOptions,
): Table {
	return {
		...tableHead(definition, options),
		rows: objects.map((object) => ({
			cells: cellsOf(definition, object, options.now),
			object: shownObject(object, options),
		})),
	};
}

/** A Table without its rows. */
export function tableHead<T extends KubeObject>(
	definition: Columned<T>,
	{ version, metadata, headless = false }: Omit<TableOptions, 'includeObject' | 'now'>,
): Omit<Table, 'rows'> {
	return {
		kind: 'Table',
		apiVersion: `meta.k8s.io/${version}`,
		metadata,
		columnDefinitions: headless ? null : columnDefinitions(definition),
	};
}

/** The cells of an object's row. */
export function cellsOf<T extends KubeObject>(
	definition: Columned<T>,
	object: T,
	now: number,
): TableRow['cells'] {
	return definition.columns.map((column) => column.cell(object, now));
}

/** The columns of a resource's tables. */
export function columnDefinitions<T extends KubeObject>(
	definition: Columned<T>,
): readonly ColumnDefinition[] {
	return definition.columns.map(({ name, type, format = '', description, priority }) => ({
		name,
		type,
		format,
		description,
		priority,
	}));
}

/** The object's metadata as an object of its own. */
export function partialMetadata({ metadata }: KubeObject, version: MetaVersion): PartialObjectMetadata {
	return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata };
}

function shownObject(object: KubeObject, { includeObject, version }: RowOptions): TableRow['object'] {
	if (includeObject === 'None') return null;
	return includeObject === 'Object' ? object : partialMetadata(object, version);
}
