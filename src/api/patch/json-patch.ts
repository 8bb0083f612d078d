/**
 * JSON patch (RFC 6902), with the extensions of upstream's library (gopkg.in/evanphx/json-patch.v4): negative
 * indexes count from the end, and `replace` of a missing field of an object adds it.
 *
 * 1. The original is never changed. The result shares the parts that no operation changes with it.
 * 2. Time and memory are linear in the size of the patch and the object, whatever the patch says: copies,
 *    moved list items and depth have limits. Without them a patch of some kilobytes could block the server.
 * 3. Errors have the library's texts, as the cause of a 422.
 */

import { countValues, isList, isRecord, type JsonRecord, own, setOwn } from '../../base/json/json.ts';
import type { RepeatedKeys } from '../../base/json/json-reader.ts';
import { badRequest, inapplicablePatch, tooLarge } from '../errors/api-error.ts';
import { DecodeError, decode, type StrictProblem } from '../schema/decode.ts';
import { jsonEqual } from '../schema/equality.ts';
import { list, object, optional, raw, string } from '../schema/schema.ts';

const operationSchema = object('handlers.jsonPatchOp', 'One operation of a JSON patch.', {
	op: optional(string, 'Type of the operation: add, remove, replace, move, copy or test.'),
	path: optional(string, 'JSON pointer to the value that the operation changes or tests.'),
	from: optional(string, 'JSON pointer to the source, for move and copy.'),
	value: optional(raw, 'New or expected value, for add, replace and test.'),
});
const patchSchema = list(operationSchema);

/** A parsed JSON patch. Its operations may still be inapplicable to an object. */
export interface JsonPatch {
	readonly operations: readonly Operation[];
	/** Unknown and duplicate fields, which strict requests refuse: `[0].foo`. */
	readonly problems: readonly StrictProblem[];
}

interface Operation {
	readonly op: string;
	/** Undefined if it is missing: an error only once the operation is applied, as upstream. */
	readonly path: string | undefined;
	readonly from: string | undefined;
	readonly value: unknown;
}

/** Maximum size that copy operations may add, the same as upstream's: the maximum size of a body. */
const MAX_COPIED_BYTES = 3 * 1024 * 1024;

/** Maximum number of operations in a patch, the same as upstream's. */
const MAX_OPERATIONS = 10_000;

/**
 * Parses a patch. Throws BadRequest if it is malformed, RequestEntityTooLarge if it has too many operations.
 */
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

/** Maximum number of values that copy operations may add: that of an object. */
const MAX_COPIED_VALUES = 20_000;

/** Maximum nesting of the result, and maximum number of list items that insertions and removals may shift. */
const MAX_DEPTH = 1000;
const MAX_MOVED_ITEMS = 10_000_000;

/**
 * Returns the patched object. Throws a 422 if an operation cannot be applied, and then none of them takes
 * effect.
 */
export function applyJsonPatch(original: JsonRecord, patch: JsonPatch): JsonRecord {
	const document = new PatchedDocument(original);
	for (const operation of patch.operations) document.perform(operation);
	return document.result();
}

/** Reads the undecoded JSON, since decoding drops null and empty text, which are meaningful here. */
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

/** A container that this patch has copied, and may change in place. */
type OwnContainer = Record<string, unknown> | unknown[];

/**
 * A document to which operations are applied. The first operation that changes a container copies it, and
 * later ones change the copy in place: with a copy per operation, 10,000 of them on one map of 10,000 fields
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
		const place = this.#place(path, missing);
		const { parent, key } = place;
		if (isRecord(parent) && Object.hasOwn(parent, key) && jsonEqual(parent[key], value)) return;
		this.#put(place, value, `error in add for path: '${path}'`);
	}

	#remove(path: string): void {
		const missing = `remove operation does not apply: doc is missing path: "${path}"`;
		this.#cut(this.#place(path, missing), `error in remove for path: '${path}'`);
	}

	#replace(path: string, value: unknown): void {
		if (path === '') {
			this.#root = value;
			return;
		}
		const missing = `replace operation does not apply: doc is missing path: ${path}`;
		const place = this.#place(path, missing);
		const { parent, key, steps } = place;
		if (isRecord(parent)) {
			if (Object.hasOwn(parent, key) && jsonEqual(parent[key], value)) return;
			this.#put(place, value, missing);
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
		this.#cut(source, `error in move for path: '${source.key}'`);
		const nowhere = `move operation does not apply: doc is missing destination path: ${path}`;
		this.#put(this.#place(path, nowhere), value, `error in move for path: '${path}'`);
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
		this.#put(this.#place(path, nowhere), this.#clone(value), 'error while adding value during copy');
	}

	#test(path: string, value: unknown): void {
		const missing = `test operation does not apply: is missing path: ${path}`;
		const actual = path === '' ? this.#root : this.#valueAt(path, missing);
		if (!jsonEqual(actual ?? null, value)) {
			throw inapplicablePatch(`testing value ${path} failed: test failed`);
		}
	}

	/**
	 * The container of the value at `path`. Throws an error that starts with `missing` if it does not exist.
	 */
	#place(path: string, missing: string): Place {
		const steps = stepsOf(path);
		// No document is as deep, and walking a longer path would take time.
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

	#put({ steps, key }: Place, value: unknown, failed: string): void {
		const parent = this.#open(steps);
		if (!isList(parent)) {
			setOwn(parent, key, value);
			return;
		}
		// The index after the last item is valid too: it appends.
		const index = key === '-' ? parent.length : indexIn(key, parent.length + 1);
		if (index === undefined) throw badIndex(failed, key);
		this.#countMoved(parent.length - index);
		parent.splice(index, 0, value);
	}

	#cut({ steps, key }: Place, failed: string): void {
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

	/**
	 * The container at `steps`, which must exist. Copies it and those around it, unless this patch already has.
	 */
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

	/** A deep copy: later operations may change one of the two places and not the other. */
	#clone(value: unknown): unknown {
		if (!isList(value) && !isRecord(value)) return value;
		const copy = isList(value) ? [...value] : { ...value };
		this.#owned.add(copy);
		for (const key of Object.keys(copy)) setChild(copy, key, this.#clone(childOf(copy, key)));
		return copy;
	}
}

/** The place of a value: its container and the key in it. */
interface Place {
	readonly parent: Container;
	readonly key: string;
	/** The path to the container, as steps. */
	readonly steps: readonly string[];
}

function isOwn(value: unknown, owned: ReadonlySet<unknown>): value is OwnContainer {
	return owned.has(value);
}

function setChild(parent: OwnContainer, step: string, value: unknown): void {
	if (!isList(parent)) {
		setOwn(parent, step, value);
		return;
	}
	const index = indexIn(step, parent.length);
	if (index !== undefined) parent[index] = value;
}

/**
 * Whether `value` is nested deeper than `depth`. Not recursive, since a deep value would overflow the stack.
 */
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

/** The list index that the step means, negative ones from the end; undefined if it is not below `length`. */
function indexIn(step: string, length: number): number | undefined {
	if (!WHOLE_NUMBER.test(step)) return undefined;
	const number = Number(step);
	const index = number < 0 ? number + length : number;
	return index >= 0 && index < length ? index : undefined;
}

/**
 * The steps of a JSON pointer, unescaped. The split is limited, as a pointer can have millions of slashes.
 */
function stepsOf(path: string): string[] {
	return path
		.split('/', MAX_DEPTH + 2)
		.slice(1)
		.map((step) => step.replace(/~1/g, '/').replace(/~0/g, '~'));
}
