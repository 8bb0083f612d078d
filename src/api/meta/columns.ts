import { ageOf } from './duration.ts';
import type { KubeObject } from './object-meta.ts';
import type { Column } from './resource.ts';

/** The column with the object's name, which every kind begins with. */
export function nameColumn(): Column<KubeObject> {
	return {
		name: 'Name',
		type: 'string',
		format: 'name',
		description: 'Unique among the objects of its kind in the namespace.',
		priority: 0,
		cell: ({ metadata }) => metadata.name ?? '',
	};
}

/** The column with the time since the object was created. */
export function ageColumn(): Column<KubeObject> {
	return {
		name: 'Age',
		type: 'string',
		description: 'The time since the object was created.',
		priority: 0,
		cell: ({ metadata }, now) => ageOf(metadata.creationTimestamp, now),
	};
}
