/**
 * Strategic merge patches (upstream: k8s.io/apimachinery/pkg/util/strategicpatch). They extend merge patches:
 * lists are merged item by item if the schema says so, and directives in the patch delete, replace and order.
 *
 * 1. Neither the object nor the patch is changed. The result shares unchanged parts with the object, up to
 *    the whole object.
 * 2. Errors are BadRequest with upstream's texts. (Upstream returns 500 for some of these.)
 * 3. Unknown fields are merged like any other: decoding the result reports them.
 */

import { isList, isRecord, type JsonRecord, numberText, own, parseInt64 } from '../../base/json/json.ts';
import { type ApiError, badRequest } from '../errors/api-error.ts';
import { jsonEqual } from '../schema/equality.ts';
import type { ObjectNode, SchemaNode } from '../schema/schema.ts';
import { mergedOrder } from './list-order.ts';
import {
	DELETE_FROM_LIST,
	type ListMerge,
	listMergeOf,
	mergeKeyOf,
	PATCH_DIRECTIVE,
	RETAIN_KEYS,
	SET_ELEMENT_ORDER,
	schemaAt,
} from './patch-schema.ts';
import { RecordDraft } from './record-draft.ts';

/** Applies the patch. Throws BadRequest if it is malformed. */
export function strategicMerge(original: JsonRecord, patch: unknown, schema: ObjectNode): JsonRecord {
	if (!isRecord(patch)) throw badRequest('invalid JSON document');
	return mergeObject(original, patch, schema);
}

/** Directives first, then fields: `$retainKeys` must delete old fields before the patch sets new ones. */
function mergeObject(original: JsonRecord, patch: JsonRecord, node: SchemaNode | undefined): JsonRecord {
	const directive = own(patch, PATCH_DIRECTIVE);
	if (directive !== undefined) return replaceOrDelete(directive, patch);
	const draft = new RecordDraft(original);
	applyRetainKeys(draft, patch);
	const ordered = applyOrders(draft, patch, node);
	for (const [key, value] of Object.entries(patch)) {
		if (key === RETAIN_KEYS || key.startsWith(SET_ELEMENT_ORDER) || ordered.has(key)) continue;
		if (key.startsWith(DELETE_FROM_LIST)) deleteFromList(draft, key.slice(DELETE_FROM_LIST.length), value);
		else if (value === null) draft.delete(key);
		else {
			const merged = mergeField(draft.get(key), value, schemaAt(node, key));
			if (merged === undefined) draft.delete(key);
			else draft.set(key, merged);
		}
	}
	return draft.done();
}

/** `$patch` in an object: `delete` empties it, `replace` sets it to the rest of the patch. */
function replaceOrDelete(directive: unknown, patch: JsonRecord): JsonRecord {
	if (directive === 'delete') return {};
	if (directive !== 'replace') throw unknownDirective(directive, patch);
	const draft = new RecordDraft(patch);
	draft.delete(PATCH_DIRECTIVE);
	return draft.done();
}

/**
 * The value of a field after the patch; undefined if the patch deletes it. Values of different types are not
 * merged: the patch's value replaces the other.
 */
function mergeField(current: unknown, value: unknown, node: SchemaNode | undefined): unknown {
	if (isRecord(current) && isRecord(value)) return mergeObject(current, value, node);
	if (isList(current) && isList(value)) return mergeList({ current, patch: value }, listMergeOf(node));
	return jsonEqual(current, value) ? current : withoutDirectives(value);
}

/** Deletes all fields that `$retainKeys` does not list. It must list every field that the patch sets. */
function applyRetainKeys(draft: RecordDraft, patch: JsonRecord): void {
	const retained = own(patch, RETAIN_KEYS);
	if (retained === undefined) return;
	if (!isList(retained)) throw badRequest(BAD_RETAIN_KEYS);
	const kept = new Set(retained);
	for (const [key, value] of Object.entries(patch)) {
		const isDirective = key.startsWith('$') || value === null;
		if (!isDirective && !kept.has(key)) throw badRequest(BAD_RETAIN_KEYS);
	}
	for (const key of draft.keys()) {
		if (!kept.has(key)) draft.delete(key);
	}
}

/**
 * Merges the lists for which the patch sets an order. Returns their names, so that they are not merged again.
 */
function applyOrders(
	draft: RecordDraft,
	patch: JsonRecord,
	node: SchemaNode | undefined,
): ReadonlySet<string> {
	const done = new Set<string>();
	for (const [directive, order] of Object.entries(patch)) {
		if (!directive.startsWith(SET_ELEMENT_ORDER)) continue;
		const key = directive.slice(SET_ELEMENT_ORDER.length);
		if (!isList(order)) throw badRequest(BAD_ORDER);
		const current = draft.get(key) ?? undefined;
		const added = own(patch, key);
		if (current === undefined && !isList(added)) continue;
		if (added === null) continue;
		if (current !== undefined && !isList(current)) throw expectedList(current);
		if (added !== undefined && !isList(added)) throw expectedList(added);
		const merge = listMergeOf(schemaAt(node, key));
		checkOrder(added ?? [], order, merge);
		draft.set(key, mergeList({ current: current ?? [], patch: added ?? [], order }, merge));
		done.add(key);
	}
	return done;
}

/** Throws unless the items of the patch are in the order that the patch sets. */
function checkOrder(added: readonly unknown[], order: readonly unknown[], merge: ListMerge): void {
	if (order.length === 0) return;
	let place = 0;
	for (const item of added) {
		if (own(isRecord(item) ? item : undefined, PATCH_DIRECTIVE) !== undefined) continue;
		while (place < order.length && !sameItem(item, order[place], merge)) place++;
		if (place === order.length) {
			throw badRequest(
				`The order in patch list:\n${JSON.stringify(added)}\n doesn't match $setElementOrder list:\n${JSON.stringify(order)}\n`,
			);
		}
		place++;
	}
}

function sameItem(a: unknown, b: unknown, merge: ListMerge): boolean {
	return merge.by === 'key' ? mergeKeyOf(a, merge.key) === mergeKeyOf(b, merge.key) : a === b;
}

/** Deletes scalars from a list. A set, since scanning the values for each item would take quadratic time. */
function deleteFromList(draft: RecordDraft, key: string, values: unknown): void {
	if (!isList(values)) throw badRequest('invalid patch format of primitive list');
	const current = draft.get(key);
	const gone = new Set(values);
	if (!isList(current) || !current.some((item) => gone.has(item))) return;
	draft.set(
		key,
		current.filter((item) => !gone.has(item)),
	);
}

/** A list and the patch for it. */
interface ListPatch {
	readonly current: readonly unknown[];
	readonly patch: readonly unknown[];
	/** The order that `$setElementOrder` sets. */
	readonly order?: readonly unknown[];
}

/**
 * Merges a list in the way of its schema. Returns `current` itself if the result is equal, so that it stays
 * shared.
 */
function mergeList(lists: ListPatch, merge: ListMerge): readonly unknown[] {
	const { current, patch, order } = lists;
	let result: readonly unknown[];
	if (merge.by === 'replacing') result = patch.length === 0 && order ? current : patch;
	else if (merge.by === 'value') {
		const all = patch.length === 0 ? current : [...new Set([...current, ...patch])];
		result = mergedOrder(all, { first: order ?? patch, rest: current, keyOf: (item) => item });
	} else {
		result = mergeKeyed(lists, merge);
	}
	return jsonEqual(current, result) ? current : result;
}

/**
 * Merges objects by their merge key. A map of positions keeps this linear: lists can have thousands of items.
 */
function mergeKeyed(
	{ current, patch, order }: ListPatch,
	merge: Extract<ListMerge, { readonly by: 'key' }>,
): readonly unknown[] {
	const { kept, plain } = applyItemDirectives(current, patch, merge.key);
	const items = kept.slice();
	const keyOf = (item: unknown): unknown => mergeKeyOf(item, merge.key);
	// In reverse, so that the map keeps the first of several items with the same key.
	const places = new Map(items.map((item, place) => [keyOf(item), place] as const).reverse());
	for (const item of plain) {
		const value = requireMergeKey(item, merge.key);
		const place = places.get(value);
		const found = place === undefined ? undefined : items[place];
		if (place !== undefined && isRecord(found)) items[place] = mergeObject(found, item, merge.items);
		else places.set(value, items.push(withoutDirectives(item)) - 1);
	}
	return mergedOrder(items, { first: order ?? plain, rest: kept, keyOf });
}

/**
 * Applies items with `$patch`: they delete the item with their key, or make the patch replace the whole list.
 */
function applyItemDirectives(
	current: readonly unknown[],
	patch: readonly unknown[],
	key: string,
): { readonly kept: readonly unknown[]; readonly plain: readonly JsonRecord[] } {
	const gone = new Set<unknown>();
	let replaced = false;
	const plain: JsonRecord[] = [];
	for (const item of patch) {
		if (!isRecord(item))
			throw badRequest(`expected a map[string]interface {}, but received a ${goType(item)}`);
		const directive = own(item, PATCH_DIRECTIVE);
		if (directive === undefined) plain.push(item);
		else if (directive === 'replace') replaced = true;
		else if (directive === 'merge') throw badRequest('merging lists cannot yet be specified in the patch');
		else if (directive !== 'delete') throw unknownDirective(directive, item);
		else gone.add(requireMergeKey(item, key));
	}
	if (replaced) return { kept: [], plain };
	return { kept: current.filter((item) => !gone.has(mergeKeyOf(item, key))), plain };
}

function requireMergeKey(item: JsonRecord, key: string): unknown {
	const value = own(item, key);
	if (value === undefined) throw missingMergeKey(item, key);
	return value;
}

/**
 * A value to add where none exists: without nulls and directives. Undefined if it was nothing but a
 * directive.
 */
function withoutDirectives(value: unknown): unknown {
	if (isList(value)) {
		const items = value.map(withoutDirectives).filter((item) => item !== undefined);
		return items.every((item, index) => item === value[index]) && items.length === value.length
			? value
			: items;
	}
	if (!isRecord(value)) return value;
	if (Object.hasOwn(value, PATCH_DIRECTIVE)) return undefined;
	const draft = new RecordDraft(value);
	for (const [key, part] of Object.entries(value)) {
		const isDirective =
			key === RETAIN_KEYS || key.startsWith(SET_ELEMENT_ORDER) || key.startsWith(DELETE_FROM_LIST);
		const cleaned = isDirective || part === null ? undefined : withoutDirectives(part);
		if (cleaned === undefined) draft.delete(key);
		else draft.set(key, cleaned);
	}
	return draft.done();
}

const BAD_RETAIN_KEYS = 'invalid patch format of retainKeys';
const BAD_ORDER = 'invalid patch format of setElementOrder list';

/** The error for an item of a merged list that lacks the merge key. */
export function missingMergeKey(item: JsonRecord, key: string): ApiError {
	return badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`);
}

function unknownDirective(directive: unknown, patch: JsonRecord): ApiError {
	return badRequest(`unknown patch type: ${String(directive)} in map: ${JSON.stringify(patch)}`);
}

function expectedList(value: unknown): ApiError {
	return badRequest(`expected a []interface {}, but received a ${goType(value)}`);
}

/** The Go type of decoded JSON, as upstream's errors print it. */
function goType(value: unknown): string {
	if (isRecord(value)) return 'map[string]interface {}';
	if (isList(value)) return '[]interface {}';
	if (typeof value === 'boolean') return 'bool';
	const number = numberText(value);
	if (number === undefined) return typeof value;
	return parseInt64(number) === undefined ? 'float64' : 'int64';
}
