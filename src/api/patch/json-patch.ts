import { isList, isRecord, type JsonRecord, own } from '../../base/json.ts';
import type { RepeatedKeys } from '../../base/json-reader.ts';
import { badRequest, inapplicablePatch } from '../meta/api-error.ts';
import { DecodeError, decode, type StrictProblem } from '../meta/decode.ts';
import { jsonEqual } from '../meta/equality.ts';
import { list, object, optional, raw, string } from '../meta/schema.ts';
import { RecordDraft } from './record-draft.ts';

/**
 * JSON patch (RFC 6902), with the extras of upstream's library: negative indexes count from the end,
 * and `replace` of a missing field of an object adds it. Results share what no operation touches.
 */

const operationSchema = object('handlers.jsonPatchOp', 'A step of a JSON patch.', {
	op: optional(string, 'add, remove, replace, move, copy or test.'),
	path: optional(string, 'Where, as a JSON pointer.'),
	from: optional(string, 'From where, for move and copy.'),
	value: optional(raw, 'What, for add, replace and test.'),
});
const patchSchema = list(operationSchema);

/** A JSON patch whose form has been checked. */
export interface JsonPatch {
	readonly operations: readonly Operation[];
	/** What strict requests refuse: `[0].foo`. */
	readonly problems: readonly StrictProblem[];
}

interface Operation {
	readonly op: string;
	/** Undefined where it is missing, which only the operation itself can judge. */
	readonly path: string | undefined;
	readonly from: string | undefined;
	readonly value: unknown;
}

/**
 * What copies have added so far. Since copies share, a patch that appends a list to itself again and
 * again costs nothing until the object is encoded, when it would fill the memory.
 */
interface Copied {
	bytes: number;
}

/** The most that copies may add, as upstream: the size of the largest body. */
const MAX_COPIED_BYTES = 3 * 1024 * 1024;

/** The most operations that a patch may have, as upstream. */
export const MAX_JSON_PATCH_OPERATIONS = 10_000;

/** Reads a patch from JSON. Throws BadRequest when it has not the form of one. */
export function readJsonPatch(json: unknown, repeated?: RepeatedKeys): JsonPatch {
	try {
		const { problems } = decode(patchSchema, json, repeated);
		const items = isList(json) ? json : [];
		return { operations: items.map((item) => operationOf(isRecord(item) ? item : {})), problems };
	} catch (error) {
		if (error instanceof DecodeError) throw badRequest(`error decoding patch: ${error.message}`);
		throw error;
	}
}

/** The object after the patch. Throws the 422 of an inapplicable patch; then nothing of it counts. */
export function applyJsonPatch(original: JsonRecord, patch: JsonPatch): JsonRecord {
	let result: unknown = original;
	const copied: Copied = { bytes: 0 };
	for (const operation of patch.operations) result = perform(result, operation, copied);
	if (!isRecord(result)) throw inapplicablePatch('replace operation value must be object or array');
	return result;
}

/** Read from the JSON itself, since decoding drops the nulls and empty texts that mean something here. */
function operationOf(json: JsonRecord): Operation {
	const text = (name: string): string | undefined => {
		const value = own(json, name);
		return typeof value === 'string' ? value : undefined;
	};
	return {
		op: text('op') ?? 'unknown',
		path: text('path'),
		from: text('from'),
		value: own(json, 'value') ?? null,
	};
}

function perform(doc: unknown, operation: Operation, copied: Copied): unknown {
	switch (operation.op) {
		case 'add':
			return add(doc, pathOf(operation), operation.value);
		case 'remove':
			return remove(doc, pathOf(operation));
		case 'replace':
			return replace(doc, pathOf(operation), operation.value);
		case 'move':
			return move(doc, fromOf(operation), pathOf(operation));
		case 'copy':
			return copy(doc, fromOf(operation), pathOf(operation), copied);
		case 'test':
			return test(doc, pathOf(operation), operation.value);
		default:
			throw inapplicablePatch(`Unexpected kind: ${operation.op}`);
	}
}

function add(doc: unknown, path: string, value: unknown): unknown {
	return changeAt(doc, path, `add operation does not apply: doc is missing path: "${path}"`, (parent, key) =>
		put(parent, key, value, `error in add for path: '${path}'`),
	);
}

function remove(doc: unknown, path: string): unknown {
	const missing = `remove operation does not apply: doc is missing path: "${path}"`;
	return changeAt(doc, path, missing, (parent, key) =>
		cut(parent, key, `error in remove for path: '${path}'`),
	);
}

function replace(doc: unknown, path: string, value: unknown): unknown {
	if (path === '') return value;
	const missing = `replace operation does not apply: doc is missing path: ${path}`;
	return changeAt(doc, path, missing, (parent, key) => {
		if (isRecord(parent)) return put(parent, key, value, missing);
		const index = indexIn(key, parent.length);
		if (index === undefined) {
			throw inapplicablePatch(`replace operation does not apply: doc is missing key: ${path}: missing value`);
		}
		return jsonEqual(parent[index], value) ? parent : parent.with(index, value);
	});
}

function move(doc: unknown, from: string, path: string): unknown {
	const value = valueAt(doc, from, `move operation does not apply: doc is missing from path: ${from}`);
	const missing = `move operation does not apply: doc is missing from path: ${from}`;
	const without = changeAt(doc, from, missing, (parent, key) =>
		cut(parent, key, `error in move for path: '${key}'`),
	);
	const nowhere = `move operation does not apply: doc is missing destination path: ${path}`;
	return changeAt(without, path, nowhere, (parent, key) =>
		put(parent, key, value, `error in move for path: '${path}'`),
	);
}

function copy(doc: unknown, from: string, path: string, copied: Copied): unknown {
	const value = valueAt(doc, from, `copy operation does not apply: doc is missing from path: ${from}`);
	const nowhere = `copy operation does not apply: doc is missing destination path: ${path}`;
	copied.bytes += (JSON.stringify(value) ?? '').length;
	if (copied.bytes > MAX_COPIED_BYTES) {
		throw inapplicablePatch(
			`Unable to complete the copy, the accumulated size increase of copy is ${copied.bytes}, exceeding the limit ${MAX_COPIED_BYTES}`,
		);
	}
	return changeAt(doc, path, nowhere, (parent, key) =>
		put(parent, key, value, 'error while adding value during copy'),
	);
}

function test(doc: unknown, path: string, value: unknown): unknown {
	const missing = `test operation does not apply: is missing path: ${path}`;
	const actual = path === '' ? doc : valueAt(doc, path, missing);
	if (!jsonEqual(actual ?? null, value)) throw inapplicablePatch(`testing value ${path} failed: test failed`);
	return doc;
}

function pathOf({ op, path }: Operation): string {
	if (path === undefined) throw inapplicablePatch(`${op} operation failed to decode path: missing value`);
	return path;
}

function fromOf({ op, from }: Operation): string {
	if (from === undefined) throw inapplicablePatch(`${op} operation failed to decode from: missing value`);
	return from;
}

type Container = JsonRecord | readonly unknown[];

/** The document with the container that holds the path's last step changed. */
function changeAt(
	doc: unknown,
	path: string,
	missing: string,
	change: (parent: Container, key: string) => Container,
): unknown {
	const steps = stepsOf(path);
	const last = steps.at(-1);
	if (last === undefined) throw inapplicablePatch(`${missing}: missing value`);
	return changeIn(doc, steps.slice(0, -1), (parent) => {
		if (!isRecord(parent) && !isList(parent)) throw inapplicablePatch(`${missing}: missing value`);
		return change(parent, last);
	});
}

function changeIn(value: unknown, steps: readonly string[], change: (value: unknown) => unknown): unknown {
	const [step, ...rest] = steps;
	if (step === undefined) return change(value);
	const changed = changeIn(childOf(value, step), rest, change);
	if (isRecord(value)) {
		const draft = new RecordDraft(value);
		draft.set(step, changed);
		return draft.done();
	}
	if (!isList(value)) return changed;
	const index = indexIn(step, value.length);
	return index === undefined || value[index] === changed ? value : value.with(index, changed);
}

function valueAt(doc: unknown, path: string, missing: string): unknown {
	const steps = stepsOf(path);
	const key = steps.at(-1);
	const parent = steps.slice(0, -1).reduce(childOf, doc);
	if (key === undefined || (!isRecord(parent) && !isList(parent))) {
		throw inapplicablePatch(`${missing}: missing value`);
	}
	if (isList(parent) && indexIn(key, parent.length) === undefined) throw badIndex(missing, key);
	return childOf(parent, key);
}

function childOf(value: unknown, step: string): unknown {
	if (isRecord(value)) return own(value, step);
	if (!isList(value)) return undefined;
	const index = indexIn(step, value.length);
	return index === undefined ? undefined : value[index];
}

function put(parent: Container, key: string, value: unknown, failed: string): Container {
	if (isRecord(parent)) {
		const draft = new RecordDraft(parent);
		if (!draft.has(key) || !jsonEqual(draft.get(key), value)) draft.set(key, value);
		return draft.done();
	}
	if (key === '-') return [...parent, value];
	// One more place than there are items: at the end an item can be added.
	const index = indexIn(key, parent.length + 1);
	if (index === undefined) throw badIndex(failed, key);
	return parent.toSpliced(index, 0, value);
}

function cut(parent: Container, key: string, failed: string): Container {
	if (isRecord(parent)) {
		if (!Object.hasOwn(parent, key)) {
			throw inapplicablePatch(`${failed}: Unable to remove nonexistent key: ${key}: missing value`);
		}
		const draft = new RecordDraft(parent);
		draft.delete(key);
		return draft.done();
	}
	const index = indexIn(key, parent.length);
	if (index === undefined) throw badIndex(failed, key);
	return parent.toSpliced(index, 1);
}

function badIndex(failed: string, key: string): Error {
	if (!WHOLE_NUMBER.test(key)) {
		return inapplicablePatch(`${failed}: value was not a proper array index: '${key}'`);
	}
	return inapplicablePatch(
		`${failed}: Unable to access invalid index: ${Number(key)}: invalid index referenced`,
	);
}

const WHOLE_NUMBER = /^[+-]?\d+$/;

/** The index among `length` places that the step names, negative ones from the end. */
function indexIn(step: string, length: number): number | undefined {
	if (!WHOLE_NUMBER.test(step)) return undefined;
	const number = Number(step);
	const index = number < 0 ? number + length : number;
	return index >= 0 && index < length ? index : undefined;
}

function stepsOf(path: string): readonly string[] {
	return path
		.split('/')
		.slice(1)
		.map((step) => step.replace(/~1/g, '/').replace(/~0/g, '~'));
}
