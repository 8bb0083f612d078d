import { countValues, isList, isRecord, type JsonRecord, own, setOwn } from '../../base/json.ts';
import type { RepeatedKeys } from '../../base/json-reader.ts';
import { badRequest, inapplicablePatch, tooLarge } from '../meta/api-error.ts';
import { DecodeError, decode, type StrictProblem } from '../meta/decode.ts';
import { jsonEqual } from '../meta/equality.ts';
import { list, object, optional, raw, string } from '../meta/schema.ts';

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

/** The most that copies may add, as upstream: the size of the largest body. */
const MAX_COPIED_BYTES = 3 * 1024 * 1024;

/** The most operations that a patch may have, as upstream. */
const MAX_OPERATIONS = 10_000;

/** Reads a patch from JSON. Throws BadRequest when it has not the form of one, RequestEntityTooLarge when it is long. */
export function readJsonPatch(json: unknown, repeated?: RepeatedKeys): JsonPatch {
	try {
		const { problems } = decode(patchSchema, json, repeated);
		const items = isList(json) ? json : [];
		if (items.length > MAX_OPERATIONS) {
			throw tooLarge(
				`The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${items.length}`,
			);
		}
		return { operations: items.map((item) => operationOf(isRecord(item) ? item : {})), problems };
	} catch (error) {
		if (error instanceof DecodeError) throw badRequest(`error decoding patch: ${error.message}`);
		throw error;
	}
}

/** The most values that copies may add: what an object may hold. */
const MAX_COPIED_VALUES = 20_000;

/** How deep the outcome may be nested, and how many items of lists may be moved to make room or close gaps. */
const MAX_DEPTH = 1000;
const MAX_MOVED_ITEMS = 10_000_000;

/** The object after the patch. Throws the 422 of an inapplicable patch; then nothing of it counts. */
export function applyJsonPatch(original: JsonRecord, patch: JsonPatch): JsonRecord {
	const document = new PatchedDocument(original);
	for (const operation of patch.operations) document.perform(operation);
	return document.result();
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

type Container = JsonRecord | readonly unknown[];

/** A container that this patch has made and may change. */
type OwnContainer = Record<string, unknown> | unknown[];

/**
 * A document under change. A container is copied when the first operation changes it, and changed in
 * place by those that follow: with a copy for each operation, 10,000 of them on one map of 10,000 fields
 * took minutes.
 */
class PatchedDocument {
	#root: unknown;
	readonly #owned = new Set<unknown>();
	#copiedBytes = 0;
	#copiedValues = 0;
	#movedItems = 0;

	constructor(original: JsonRecord) {
		this.#root = original;
	}

	perform(operation: Operation): void {
		switch (operation.op) {
			case 'add':
				this.#add(pathOf(operation), operation.value);
				return;
			case 'remove':
				this.#remove(pathOf(operation));
				return;
			case 'replace':
				this.#replace(pathOf(operation), operation.value);
				return;
			case 'move':
				this.#move(fromOf(operation), pathOf(operation));
				return;
			case 'copy':
				this.#copy(fromOf(operation), pathOf(operation));
				return;
			case 'test':
				this.#test(pathOf(operation), operation.value);
				return;
			default:
				throw inapplicablePatch(`Unexpected kind: ${operation.op}`);
		}
	}

	result(): JsonRecord {
		const root = this.#root;
		if (!isRecord(root)) throw inapplicablePatch('replace operation value must be object or array');
		if (isDeeper(root, MAX_DEPTH)) throw inapplicablePatch('exceeded max depth');
		return root;
	}

	#add(path: string, value: unknown): void {
		const missing = `add operation does not apply: doc is missing path: "${path}"`;
		const { parent, key, steps } = this.#place(path, missing);
		if (isRecord(parent) && Object.hasOwn(parent, key) && jsonEqual(parent[key], value)) return;
		this.#put(steps, key, value, `error in add for path: '${path}'`);
	}

	#remove(path: string): void {
		const missing = `remove operation does not apply: doc is missing path: "${path}"`;
		const { steps, key } = this.#place(path, missing);
		this.#cut(steps, key, `error in remove for path: '${path}'`);
	}

	#replace(path: string, value: unknown): void {
		if (path === '') {
			this.#root = value;
			return;
		}
		const missing = `replace operation does not apply: doc is missing path: ${path}`;
		const { parent, key, steps } = this.#place(path, missing);
		if (isRecord(parent)) {
			if (Object.hasOwn(parent, key) && jsonEqual(parent[key], value)) return;
			this.#put(steps, key, value, missing);
			return;
		}
		const index = indexIn(key, parent.length);
		if (index === undefined) {
			throw inapplicablePatch(`replace operation does not apply: doc is missing key: ${path}: missing value`);
		}
		if (jsonEqual(parent[index], value)) return;
		setChild(this.#open(steps), key, value);
	}

	#move(from: string, path: string): void {
		const missing = `move operation does not apply: doc is missing from path: ${from}`;
		const value = this.#valueAt(from, missing);
		const source = this.#place(from, missing);
		this.#cut(source.steps, source.key, `error in move for path: '${source.key}'`);
		const nowhere = `move operation does not apply: doc is missing destination path: ${path}`;
		const { steps, key } = this.#place(path, nowhere);
		this.#put(steps, key, value, `error in move for path: '${path}'`);
	}

	#copy(from: string, path: string): void {
		const value = this.#valueAt(from, `copy operation does not apply: doc is missing from path: ${from}`);
		const nowhere = `copy operation does not apply: doc is missing destination path: ${path}`;
		this.#countCopied(value);
		if (isDeeper(value, MAX_DEPTH)) throw inapplicablePatch('exceeded max depth');
		this.#copiedBytes += (JSON.stringify(value) ?? '').length;
		if (this.#copiedBytes > MAX_COPIED_BYTES) {
			throw inapplicablePatch(
				`Unable to complete the copy, the accumulated size increase of copy is ${this.#copiedBytes}, exceeding the limit ${MAX_COPIED_BYTES}`,
			);
		}
		const { steps, key } = this.#place(path, nowhere);
		this.#put(steps, key, this.#clone(value), 'error while adding value during copy');
	}

	#test(path: string, value: unknown): void {
		const missing = `test operation does not apply: is missing path: ${path}`;
		const actual = path === '' ? this.#root : this.#valueAt(path, missing);
		if (!jsonEqual(actual ?? null, value)) {
			throw inapplicablePatch(`testing value ${path} failed: test failed`);
		}
	}

	/** The container that holds the path's last step. Throws where there is none. */
	#place(path: string, missing: string): Place {
		const steps = stepsOf(path);
		// No document is so deep, and to look for its end takes time.
		if (steps.length > MAX_DEPTH) throw inapplicablePatch(`${missing}: missing value`);
		const key = steps.pop();
		let parent: unknown = this.#root;
		for (const step of steps) {
			parent = childOf(parent, step);
			if (parent === undefined) break;
		}
		if (key === undefined || (!isRecord(parent) && !isList(parent))) {
			throw inapplicablePatch(`${missing}: missing value`);
		}
		return { parent, key, steps };
	}

	#valueAt(path: string, missing: string): unknown {
		const { parent, key } = this.#place(path, missing);
		if (isList(parent) && indexIn(key, parent.length) === undefined) throw badIndex(missing, key);
		return childOf(parent, key);
	}

	#put(steps: readonly string[], key: string, value: unknown, failed: string): void {
		const parent = this.#open(steps);
		if (!isList(parent)) {
			setOwn(parent, key, value);
			return;
		}
		// One more place than there are items: at the end an item can be added.
		const index = key === '-' ? parent.length : indexIn(key, parent.length + 1);
		if (index === undefined) throw badIndex(failed, key);
		this.#countMoved(parent.length - index);
		parent.splice(index, 0, value);
	}

	#cut(steps: readonly string[], key: string, failed: string): void {
		const parent = this.#open(steps);
		if (!isList(parent)) {
			if (!Object.hasOwn(parent, key)) {
				throw inapplicablePatch(`${failed}: Unable to remove nonexistent key: ${key}: missing value`);
			}
			delete parent[key];
			return;
		}
		const index = indexIn(key, parent.length);
		if (index === undefined) throw badIndex(failed, key);
		this.#countMoved(parent.length - index);
		parent.splice(index, 1);
	}

	#countCopied(value: unknown): void {
		this.#copiedValues += countValues(value, MAX_COPIED_VALUES);
		if (this.#copiedValues > MAX_COPIED_VALUES)
			throw tooLarge(`more than ${MAX_COPIED_VALUES} values would be copied`);
	}

	#countMoved(items: number): void {
		this.#movedItems += items;
		if (this.#movedItems > MAX_MOVED_ITEMS) {
			throw tooLarge(`more than ${MAX_MOVED_ITEMS} items of lists would be moved`);
		}
	}

	/** The container at the end of `steps`, in which there is one, ready to be changed. */
	#open(steps: readonly string[]): OwnContainer {
		let current = this.#own(this.#root);
		this.#root = current;
		for (const step of steps) {
			const child = childOf(current, step);
			const own = this.#own(child);
			if (own !== child) setChild(current, step, own);
			current = own;
		}
		return current;
	}

	#own(value: unknown): OwnContainer {
		if (isOwn(value, this.#owned)) return value;
		const copy = isList(value) ? [...value] : isRecord(value) ? { ...value } : {};
		this.#owned.add(copy);
		return copy;
	}

	/** A copy of all that `value` holds, since its parts may be changed in one place and not in the other. */
	#clone(value: unknown): unknown {
		if (!isList(value) && !isRecord(value)) return value;
		const copy = isList(value) ? [...value] : { ...value };
		this.#owned.add(copy);
		for (const key of Object.keys(copy)) setChild(copy, key, this.#clone(childOf(copy, key)));
		return copy;
	}
}

/** Where an operation has its effect. */
interface Place {
	readonly parent: Container;
	readonly key: string;
	/** The way to the parent. */
	readonly steps: readonly string[];
}

function isOwn(value: unknown, owned: ReadonlySet<unknown>): value is OwnContainer {
	return owned.has(value);
}

function setChild(parent: OwnContainer, step: string, value: unknown): void {
	if (!Array.isArray(parent)) {
		setOwn(parent, step, value);
		return;
	}
	const index = indexIn(step, parent.length);
	if (index !== undefined) parent[index] = value;
}

/** Whether `value` is nested deeper than that. Without calls of its own, since the value may be very deep. */
function isDeeper(value: unknown, depth: number): boolean {
	let level: unknown[] = [value];
	for (let height = 0; level.length > 0; height++) {
		if (height > depth) return true;
		const next: unknown[] = [];
		for (const each of level) {
			if (typeof each !== 'object' || each === null) continue;
			for (const part of Object.values(each)) if (typeof part === 'object') next.push(part);
		}
		level = next;
	}
	return false;
}

function pathOf({ op, path }: Operation): string {
	if (path === undefined) throw inapplicablePatch(`${op} operation failed to decode path: missing value`);
	return path;
}

function fromOf({ op, from }: Operation): string {
	if (from === undefined) throw inapplicablePatch(`${op} operation failed to decode from: missing value`);
	return from;
}

function childOf(value: unknown, step: string): unknown {
	if (isRecord(value)) return own(value, step);
	if (!isList(value)) return undefined;
	const index = indexIn(step, value.length);
	return index === undefined ? undefined : value[index];
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

function stepsOf(path: string): string[] {
	return path
		.split('/', MAX_DEPTH + 2)
		.slice(1)
		.map((step) => step.replace(/~1/g, '/').replace(/~0/g, '~'));
}
