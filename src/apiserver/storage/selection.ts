import type { ResourceDefinition } from '../../api/contract/resource-definition.ts';
import { exactValue, type FieldSelector } from '../../api/meta/field-selector.ts';
import type { Selector } from '../../api/meta/selector.ts';

/** The objects of a resource that a list, watch or deletecollection selects. */
export interface Selection {
	/** Namespace; empty for all. */
	readonly namespace: string;
	readonly labels: Selector;
	readonly fields: FieldSelector;
}

/** Whether the selection has no selectors, only a namespace. */
export function isWhole({ labels, fields }: Selection): boolean {
	return labels.length === 0 && fields.length === 0;
}

/** Namespace and name of the only object that can match, if the field selector requires an exact name. */
export function singleObject(
	{ namespace, fields }: Selection,
	definition: ResourceDefinition,
): { readonly namespace: string; readonly name: string } | undefined {
	const name = exactValue(fields, 'metadata.name');
	const within = namespace || (exactValue(fields, 'metadata.namespace') ?? '');
	if (name === undefined || (definition.namespaced && within === '')) return undefined;
	return { namespace: within, name };
}
