import { exactValue, type FieldSelector } from '../api/meta/field-selector.ts';
import type { ResourceDefinition } from '../api/meta/resource.ts';
import type { Selector } from '../api/meta/selector.ts';

/** Which objects of a resource a list, a watch or a deletecollection is about. */
export interface Selection {
	/** Empty: of all namespaces. */
	readonly namespace: string;
	readonly labels: Selector;
	readonly fields: FieldSelector;
}

/** Selects all objects of a resource. */
export const ALL: Selection = { namespace: '', labels: [], fields: [] };

/** Whether the selection is by namespace at most. */
export function isWhole({ labels, fields }: Selection): boolean {
	return labels.length === 0 && fields.length === 0;
}

/** The one object that a selection by exact name can mean, if it is of that kind. */
export function singleObject(
	{ namespace, fields }: Selection,
	definition: ResourceDefinition,
): { readonly namespace: string; readonly name: string } | undefined {
	const name = exactValue(fields, 'metadata.name');
	const within = namespace || (exactValue(fields, 'metadata.namespace') ?? '');
	if (name === undefined || (definition.namespaced && within === '')) return undefined;
	return { namespace: within, name };
}
