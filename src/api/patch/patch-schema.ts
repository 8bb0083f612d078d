import { isRecord, own } from '../../base/json.ts';
import type { SchemaNode } from '../meta/schema.ts';

/** What a strategic merge patch needs to know of a schema. */

/** The schema of the value at `key`, where it is known. */
export function schemaAt(node: SchemaNode | undefined, key: string): SchemaNode | undefined {
	if (node?.type === 'map') return node.values;
	return node?.type === 'object' && Object.hasOwn(node.fields, key) ? node.fields[key]?.schema : undefined;
}

/** How a list is patched: replaced whole, merged by value, or merged by a field of its items. */
export type ListMerge =
	| { readonly by: 'replacing' }
	| { readonly by: 'value' }
	| { readonly by: 'key'; readonly key: string; readonly items: SchemaNode; readonly retainKeys: boolean };

/** How the list with this schema is patched; one without schema is replaced. */
export function listMergeOf(node: SchemaNode | undefined): ListMerge {
	if (node?.type !== 'list' || node.patch === 'replace') return REPLACING;
	const key = node.mergeKey ?? node.keys?.[0];
	if (node.list === 'map' || (node.patch === 'merge' && key !== undefined)) {
		if (key === undefined) return REPLACING;
		return { by: 'key', key, items: node.items, retainKeys: node.retainKeys === true };
	}
	return node.patch === 'merge' ? { by: 'value' } : REPLACING;
}

const REPLACING: ListMerge = { by: 'replacing' };

/** The merge key's value of an item, undefined where it has none. */
export function mergeKeyOf(item: unknown, key: string): unknown {
	return isRecord(item) ? own(item, key) : undefined;
}

/** The directives of strategic merge patches. */
export const PATCH_DIRECTIVE = '$patch';

/** `$retainKeys`: the only fields that stay. */
export const RETAIN_KEYS = '$retainKeys';

/** `$setElementOrder/containers`: the order of the list `containers`. */
export const SET_ELEMENT_ORDER = '$setElementOrder/';

/** `$deleteFromPrimitiveList/finalizers`: what to take from the list `finalizers`. */
export const DELETE_FROM_LIST = '$deleteFromPrimitiveList/';
