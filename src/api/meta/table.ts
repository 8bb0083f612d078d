import { invalid } from './api-error.ts';
import { FieldPath } from './field.ts';
import { invalid as invalidField } from './field-errors.ts';
import type { KubeObject, ObjectMeta } from './object-meta.ts';
import type { ResourceDefinition } from './resource.ts';

/** Lists as kubectl shows them: the server fills in the cells (metav1.Table). */

/** metav1.Table, as sent. */
export interface Table {
	readonly kind: 'Table';
	readonly apiVersion: 'meta.k8s.io/v1';
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
	readonly cells: readonly (string | number)[];
	readonly object: KubeObject | PartialObjectMetadata | null;
}

/** An object's metadata alone. */
export interface PartialObjectMetadata {
	readonly kind: 'PartialObjectMetadata';
	readonly apiVersion: 'meta.k8s.io/v1';
	readonly metadata: ObjectMeta;
}

/** How much of its object a row carries. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

/** Reads the query's `includeObject`; absent or empty is Metadata. Throws Invalid on anything else. */
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
			throw invalid({ group: 'meta.k8s.io', resource: 'TableOptions', name: '' }, [
				invalidField(new FieldPath('includeObject'), text, detail),
			]);
		}
	}
}

/** What {@link tableOf} needs beside the objects. */
export interface TableOptions {
	readonly metadata: TableMeta;
	readonly includeObject: IncludeObject;
	/** For ages and durations, in milliseconds. */
	readonly now: number;
	/** Without column definitions, for the later events of a watch. */
	readonly headless?: boolean;
}

type Columned<T extends KubeObject> = Pick<ResourceDefinition<T>, 'columns'>;

/** The objects of one resource as a table. */
export function tableOf<T extends KubeObject>(
	definition: Columned<T>,
	objects: readonly T[],
	{ metadata, includeObject, now, headless = false }: TableOptions,
): Table {
	return {
		kind: 'Table',
		apiVersion: 'meta.k8s.io/v1',
		metadata,
		columnDefinitions: headless ? null : columnDefinitions(definition),
		rows: objects.map((object) => ({
			cells: definition.columns.map((column) => column.cell(object, now)),
			object: shownObject(object, includeObject),
		})),
	};
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
export function partialMetadata({ metadata }: KubeObject): PartialObjectMetadata {
	return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
}

function shownObject(object: KubeObject, includeObject: IncludeObject): TableRow['object'] {
	if (includeObject === 'None') return null;
	return includeObject === 'Object' ? object : partialMetadata(object);
}
