import { exactValue, type FieldSelector, matchesFields } from '../api/meta/field-selector.ts';
import type { KubeObject } from '../api/meta/object-meta.ts';
import type { ResourceDefinition } from '../api/meta/resource.ts';
import { matches, type Selector } from '../api/meta/selector.ts';

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

/** Whether the object is selected. */
export function selects(selection: Selection, definition: ResourceDefinition, object: KubeObject): boolean {
	const { namespace, labels, fields } = selection;
	if (namespace !== '' && object.metadata.namespace !== namespace) return false;
	return matches(labels, object.metadata.labels) && matchesFields(fields, definition, object);
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
