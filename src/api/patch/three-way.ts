/**
 * The patch that `apply` sends (upstream: CreateThreeWayMergePatch): a strategic merge patch that sets what
 * the manifest contains, deletes what the last applied manifest contained and this one does not, and keeps
 * fields that others set.
 *
 * Lists are compared by maps of their keys, so the time is linear in their lengths: `stint apply` reads manifests of
 * any size.
 *
 * It deviates from upstream in two ways, where upstream sends patches that change nothing: it deletes a field
 * only if the live object has it, and sets an order only if the manifest's items are live in another order.
 */

import { firstByKey } from '../../base/collections/first-by-key.ts';
import { isList, isRecord, type JsonRecord, own } from '../../base/json/json.ts';
import { canonicalQuantity } from '../meta/quantity.ts';
import { parseTime } from '../meta/time.ts';
import { jsonEqual } from '../schema/equality.ts';
import type { ObjectNode, SchemaNode } from '../schema/schema.ts';
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
import { missingMergeKey } from './strategic-merge.ts';

/** The three objects that `apply` compares. */
export interface ApplyInputs {
	/** The manifest that was applied last; undefined for an object that was not created by apply. */
	readonly last: JsonRecord | undefined;
	/** The object as the server returned it. */
	readonly live: JsonRecord;
	/** The manifest to apply. */
	readonly manifest: JsonRecord;
}

/**
 * The patch; undefined if the live object matches the manifest. Throws BadRequest on items without their
 * merge key.
 */
export function threeWayPatch(inputs: ApplyInputs, schema: ObjectNode): JsonRecord | undefined {
	const patch = diffObject(inputs, schema);
	return isEmpty(patch) ? undefined : patch;
}

function diffObject({ last, live, manifest }: ApplyInputs, node: SchemaNode | undefined): JsonRecord {
	const patch: Entry[] = [];
	for (const [key, value] of Object.entries(manifest)) {
		const current = own(live, key);
		const schema = schemaAt(node, key);
		if (value === null) {
			if (Object.hasOwn(live, key)) patch.push([key, null]);
		} else if (isRecord(value) && isRecord(current)) {
			const before = own(last, key);
			const inputs = { last: isRecord(before) ? before : undefined, live: current, manifest: value };
			const part = diffObject(inputs, schema);
			const retained =
				schema?.type === 'object' && schema.retainKeys ? retainKeys(part, current, value) : part;
			if (!isEmpty(retained)) patch.push([key, retained]);
		} else if (isList(value) && isList(current)) {
			const before = own(last, key);
			patch.push(
				...diffList(key, { last: isList(before) ? before : [], live: current, manifest: value }, schema),
			);
		} else if (!isSame(current, value, schema)) {
			patch.push([key, value]);
		}
	}
	for (const key of Object.keys(last ?? {})) {
		if (!Object.hasOwn(manifest, key) && Object.hasOwn(live, key)) patch.push([key, null]);
	}
	return Object.fromEntries(patch);
}

/**
 * Adds `$retainKeys` to the patch of a union, an object in which one field excludes another (a volume's
 * source): all fields that the manifest does not contain are deleted.
 */
function retainKeys(patch: JsonRecord, live: JsonRecord, manifest: JsonRecord): JsonRecord {
	const keys = Object.keys(manifest).filter((key) => manifest[key] !== null);
	const goes = Object.keys(live).some((key) => !Object.hasOwn(manifest, key));
	return isEmpty(patch) && !goes ? patch : { ...patch, [RETAIN_KEYS]: keys.sort() };
}

interface Lists {
	readonly last: readonly unknown[];
	readonly live: readonly unknown[];
	readonly manifest: readonly unknown[];
}

/** A field of the patch. A list can result in several: its items and its directives. */
type Entry = readonly [string, unknown];

function diffList(key: string, lists: Lists, node: SchemaNode | undefined): readonly Entry[] {
	const merge = listMergeOf(node);
	switch (merge.by) {
		case 'replacing':
			return isUnchanged(lists, node) ? [] : [[key, lists.manifest]];
		case 'value':
			return diffValues(key, lists);
		case 'key':
			return diffItems(key, lists, merge);
	}
}

/**
 * Whether a list that patches replace needs no patch: the manifest's has not changed, and the live one
 * differs only by fields that the server added to its items. Otherwise every apply would send the list again.
 */
function isUnchanged({ last, live, manifest }: Lists, node: SchemaNode | undefined): boolean {
	if (jsonEqual(live, manifest)) return true;
	const items = node?.type === 'list' ? node.items : undefined;
	return jsonEqual(last, manifest) && covers(live, manifest, items);
}

/** Whether each live item contains all fields of the manifest's item at the same index. */
function covers(
	live: readonly unknown[],
	manifest: readonly unknown[],
	items: SchemaNode | undefined,
): boolean {
	if (live.length !== manifest.length) return false;
	return manifest.every((item, index) => {
		const current = live[index];
		if (isRecord(item) && isRecord(current))
			return isEmpty(diffObject({ last: undefined, live: current, manifest: item }, items));
		return isSame(current, item, items);
	});
}

function diffValues(key: string, { last, live, manifest }: Lists): readonly Entry[] {
	const [wanted, present] = [new Set(manifest), new Set(live)];
	const added = manifest.filter((item) => !present.has(item));
	const removed = last.filter((item) => !wanted.has(item) && present.has(item));
	const ordered = inOrder(live, manifest, (item) => item);
	if (added.length === 0 && removed.length === 0 && ordered) return [];
	return [
		...(manifest.length > 0 ? [[`${SET_ELEMENT_ORDER}${key}`, manifest] as const] : []),
		...(removed.length > 0 ? [[`${DELETE_FROM_LIST}${key}`, removed] as const] : []),
		...(added.length > 0 ? [[key, added] as const] : []),
	];
}

type ByKey = Extract<ListMerge, { readonly by: 'key' }>;

function diffItems(key: string, lists: Lists, merge: ByKey): readonly Entry[] {
	const { last, live, manifest } = lists;
	const keyOf = (item: unknown): unknown => mergeKeyOf(item, merge.key);
	for (const item of manifest) {
		if (keyOf(item) === undefined) throw missingMergeKey(isRecord(item) ? item : {}, merge.key);
	}
	if (hasRepetition(manifest, keyOf) || hasRepetition(live, keyOf)) return replacement(key, lists, merge);
	const before = firstByKey(last, keyOf);
	const present = firstByKey(live, keyOf);
	const wanted = firstByKey(manifest, keyOf);
	const changed = manifest.flatMap((item) => {
		const key = keyOf(item);
		const part = diffItem({ last: before.get(key), live: present.get(key), manifest: item }, merge);
		return part === undefined ? [] : [part];
	});
	const removed = last
		.filter((item) => !wanted.get(keyOf(item)) && present.get(keyOf(item)))
		.map((item) => ({ [merge.key]: keyOf(item), [PATCH_DIRECTIVE]: 'delete' }));
	const items = [...changed, ...removed];
	if (items.length === 0 && inOrder(live, manifest, keyOf)) return [];
	const order = manifest.map((item) => ({ [merge.key]: keyOf(item) }));
	return [
		...(order.length > 0 ? [[`${SET_ELEMENT_ORDER}${key}`, order] as const] : []),
		...(items.length > 0 ? [[key, items] as const] : []),
	];
}

function diffItem(item: Record<keyof ApplyInputs, unknown>, merge: ByKey): unknown {
	const { last, live, manifest } = item;
	if (!isRecord(manifest) || !isRecord(live)) return manifest;
	const part = diffObject({ last: isRecord(last) ? last : undefined, live, manifest }, merge.items);
	const patch = merge.retainKeys ? retainKeys(part, live, manifest) : part;
	return isEmpty(patch) ? undefined : { ...patch, [merge.key]: mergeKeyOf(manifest, merge.key) };
}

/**
 * Items with equal merge keys (a port for TCP and UDP) cannot be patched one by one, since the patch would
 * change only the first of them. So the patch replaces the whole list if any item differs.
 */
function replacement(key: string, { live, manifest }: Lists, merge: ByKey): readonly Entry[] {
	return covers(live, manifest, merge.items) ? [] : [[key, [{ [PATCH_DIRECTIVE]: 'replace' }, ...manifest]]];
}

function hasRepetition(list: readonly unknown[], keyOf: (item: unknown) => unknown): boolean {
	return new Set(list.map(keyOf)).size < list.length;
}

/** Whether the live items that the manifest contains are in the manifest's order. */
function inOrder(
	live: readonly unknown[],
	manifest: readonly unknown[],
	keyOf: (item: unknown) => unknown,
): boolean {
	const wanted = new Set(manifest.map(keyOf));
	const present = new Set(live.map(keyOf));
	const actual = live.map(keyOf).filter((key) => wanted.has(key));
	const expected = manifest.map(keyOf).filter((key) => present.has(key));
	return expected.every((key, index) => key === actual[index]);
}

/**
 * Whether two values are semantically equal: the manifest may contain `0.5` where the live object has `500m`.
 */
function isSame(live: unknown, manifest: unknown, node: SchemaNode | undefined): boolean {
	if (jsonEqual(live, manifest)) return true;
	if (node?.type !== 'string' || typeof live !== 'string') return false;
	if (node.format === 'quantity') return isSameQuantity(live, manifest);
	if (node.format !== 'time' || typeof manifest !== 'string') return false;
	return parseTime(live) === parseTime(manifest) && parseTime(live) !== undefined;
}

function isSameQuantity(live: string, manifest: unknown): boolean {
	try {
		return canonicalQuantity(String(manifest)) === live;
	} catch {
		// Invalid: sent as it is, so that the server reports the error.
		return false;
	}
}

function isEmpty(record: JsonRecord): boolean {
	return Object.keys(record).length === 0;
}
