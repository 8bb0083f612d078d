/**
 * The part of the schema language that patches use: how each list is merged. apply computes patches from the
 * same functions by which the server applies them, and OpenAPI publishes them to kubectl.
 */

import { isRecord, own } from '../../base/json/json.ts';
import type { SchemaNode } from '../schema/schema.ts';

/** The schema of the field or map value at `key`; undefined if the schema does not describe it. */
export function schemaAt(node: SchemaNode | undefined, key: string): SchemaNode | undefined {
	if (node?.type === 'map') return node.values;
	return node?.type === 'object' && Object.hasOwn(node.fields, key) ? node.fields[key]?.schema : undefined;
}

/**
 * How a strategic merge patch changes a list: replaces it, merges it by value, or by a key field of its
 * items.
 */
export type ListMerge =
	| { readonly by: 'replacing' }
	| { readonly by: 'value' }
	| { readonly by: 'key'; readonly key: string; readonly items: SchemaNode; readonly retainKeys: boolean };

/** How a list with this schema is merged. A list without a schema is replaced. */
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

/** The value of an item's merge key; undefined if it has none. */
export function mergeKeyOf(item: unknown, key: string): unknown {
	return isRecord(item) ? own(item, key) : undefined;
}

/**
 * `$patch`: replaces or deletes the object that contains it. This and the following are directives, not
 * fields.
 */
export const PATCH_DIRECTIVE = '$patch';

/** `$retainKeys`: the only fields of the object that the patch keeps. */
export const RETAIN_KEYS = '$retainKeys';

/** `$setElementOrder/containers`: the order of the list `containers` after the patch. */
export const SET_ELEMENT_ORDER = '$setElementOrder/';

/** `$deleteFromPrimitiveList/finalizers`: the values to delete from the list `finalizers`. */
export const DELETE_FROM_LIST = '$deleteFromPrimitiveList/';
