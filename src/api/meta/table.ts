/**
 * Tables (metav1.Table): lists in the form that `kubectl get` prints. The server computes the cells, so
 * kubectl needs to know nothing about a kind.
 */

import type { ResourceDefinition } from '../contract/resource-definition.ts';
import { badRequest } from '../errors/api-error.ts';
import { fieldInvalid as invalidField } from '../errors/field-errors.ts';
import { FieldPath } from '../errors/field-path.ts';
import type { KubeObject, ObjectMeta } from './object-meta.ts';

/**
 * The versions of meta.k8s.io in which clients can request Tables and partial metadata. Both have the same
 * fields.
 */
export type MetaVersion = 'v1' | 'v1beta1';

type MetaApiVersion = `meta.k8s.io/${MetaVersion}`;

/** metav1.Table, as the server sends it. */
export interface Table {
	readonly kind: 'Table';
	readonly apiVersion: MetaApiVersion;
	readonly metadata: TableMeta;
	/** Null in all events of a watch but the first. */
	readonly columnDefinitions: readonly ColumnDefinition[] | null;
	readonly rows: readonly TableRow[];
}

/** The metadata of a list (metav1.ListMeta). */
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

/** metav1.PartialObjectMetadata: an object's metadata without the rest. */
export interface PartialObjectMetadata {
	readonly kind: 'PartialObjectMetadata';
	readonly apiVersion: MetaApiVersion;
	readonly metadata: ObjectMeta;
}

/** The part of the object that each row contains. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

/**
 * Parses the query parameter `includeObject`. Absent or empty means Metadata. Throws BadRequest on an unknown
 * value.
 */
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

/** Options for the rows of a Table. */
export interface RowOptions {
	readonly version: MetaVersion;
	readonly includeObject: IncludeObject;
	/** The time from which ages and durations are computed, in milliseconds since 1970. */
	readonly now: number;
}

/** Options of {@link tableOf}. */
export interface TableOptions extends RowOptions {
	readonly metadata: TableMeta;
	/** Whether to omit the column definitions, as in all events of a watch but the first. Default false. */
	readonly headless?: boolean;
}

type Columned<T extends KubeObject> = Pick<ResourceDefinition<T>, 'columns'>;

/** The Table for objects of one resource. */
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

/** The column definitions of a resource's Tables. */
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

/** The object reduced to its metadata. */
export function partialMetadata({ metadata }: KubeObject, version: MetaVersion): PartialObjectMetadata {
	return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata };
}

function shownObject(object: KubeObject, { includeObject, version }: RowOptions): TableRow['object'] {
	if (includeObject === 'None') return null;
	return includeObject === 'Object' ? object : partialMetadata(object, version);
}
