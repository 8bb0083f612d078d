import type { Column } from '../contract/resource-definition.ts';
import { ageOf } from './duration.ts';
import type { KubeObject } from './object-meta.ts';

/** The column with the object's name, the first column of nearly every kind. */
export function nameColumn(): Column<KubeObject> {
	return {
		name: 'Name',
		type: 'string',
		format: 'name',
		description: 'Name of the object: unique among those of its kind in the namespace.',
		priority: 0,
		cell: ({ metadata }) => metadata.name ?? '',
	};
}

/** The column with the time since the object was created: `2m5s`, `3h12m`. */
export function ageColumn(): Column<KubeObject> {
	return {
		name: 'Age',
		type: 'string',
		description: 'Time since the object was created.',
		priority: 0,
		cell: ({ metadata }, now) => ageOf(metadata.creationTimestamp, now),
	};
}

/** A column of text that every table of the kind has. */
export function textColumn<T>(name: string, description: string, cell: Column<T>['cell']): Column<T> {
	return { name, type: 'string', priority: 0, description, cell };
}

/** A column of text that kubectl prints only with `-o wide`. */
export function wideColumn<T>(name: string, description: string, cell: Column<T>['cell']): Column<T> {
	return { name, type: 'string', priority: 1, description, cell };
}

/** A column with a number that every table of the kind has. */
export function integerColumn<T>(name: string, description: string, cell: (object: T) => number): Column<T> {
	return { name, type: 'integer', priority: 0, description, cell };
}
