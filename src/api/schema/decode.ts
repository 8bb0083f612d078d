import { memoize } from '../../base/collections/memoize.ts';
import { deepFreeze } from '../../base/json/freeze.ts';
import { type Int64, isList, isRecord, type JsonRecord, numberText } from '../../base/json/json.ts';
import { NO_REPEATED_KEYS, type RepeatedKeys } from '../../base/json/json-reader.ts';
import { microTimeErrorText, timeErrorText } from '../errors/time-error.ts';
import { canonicalQuantity, QuantityError } from '../meta/quantity.ts';
import { canonicalMicroTime, canonicalTime } from '../meta/time.ts';
import type { Field, Infer, ListNode, ObjectNode, Schema, SchemaNode, StringNode } from './schema.ts';

/**
 * Decodes parsed JSON into the value that a schema describes, by the rules and with the error texts of Go's
 * decoder (encoding/json and sigs.k8s.io/json).
 *
 * 1. The decoder never changes its input. The result shares all unchanged parts with it, up to the whole
 *    object.
 * 2. Unknown fields are pruned and reported; null means absent; names are case sensitive.
 * 3. A missing field that is `required` or `always` gets its zero value, except for times, which have none.
 *    Empty strings, lists and maps of `optional` fields are dropped, and so are 0 and false of `plain` ones.
 * 4. Times, quantities and base64 are returned in canonical spelling, so that equal values have equal texts.
 *
 * A schema is compiled into closures, each part at its first use: most fields of a Pod occur in no manifest.
 */

/** A decoded value, and the problems that strict decoding refuses. */
export interface Decoded<T> {
	readonly value: T;
	/** In the order of the input; at most {@link MAX_PROBLEMS}. */
	readonly problems: readonly StrictProblem[];
}

/** A field that the schema does not have, or that occurs twice in its object. */
export interface StrictProblem {
	readonly type: 'unknown' | 'duplicate';
	/** `spec.containers[0].foo` */
	readonly path: string;
}

/** Maximum number of problems reported for one input, the same as upstream's. */
const MAX_PROBLEMS = 100;

/** The input does not match the schema. The message is that of Go's decoder. */
export class DecodeError extends Error {
	override readonly name = 'DecodeError';
	/** The field that does not match, with indexes: `spec.template.spec.containers[0].image`. */
	readonly path: string;

	constructor(message: string, path: string) {
		super(message);
		this.path = path;
	}
}

/**
 * Decodes `json` by `schema`; see the header. `repeated` are the duplicate keys that the JSON reader found
 * (base/json-reader.ts). Throws a {@link DecodeError} at the first value that does not match.
 */
export function decode<S extends Schema>(
	schema: S,
	json: unknown,
	repeated: RepeatedKeys = NO_REPEATED_KEYS,
): Decoded<Infer<S>> {
	const trail: Trail = { steps: [], repeated, problems: [] };
	const value = decoderOf(schema)(json, trail);
	return { value: value as Infer<S>, problems: trail.problems }; // `as`: the decoder was made from S.
}

/**
 * All errors and strict problems of `json`, where {@link decode} throws the first error: for a tool that
 * reports all mistakes in a manifest together.
 */
export function decodeProblems(
	schema: Schema,
	json: unknown,
): { readonly errors: readonly DecodeError[]; readonly problems: readonly StrictProblem[] } {
	const errors: DecodeError[] = [];
	const trail: Trail = { steps: [], repeated: NO_REPEATED_KEYS, problems: [], errors };
	decoderOf(schema)(json, trail);
	return { errors, problems: trail.problems };
}

/**
 * Decodes as {@link decode} does. The caller asserts that `T` is the type of `schema`, as for a definition's
 * schema.
 */
export function decodeAs<T>(schema: ObjectNode, json: unknown, repeated?: RepeatedKeys): Decoded<T> {
	const { value, problems } = decode(schema, json, repeated);
	return { value: value as T, problems }; // `as`: T is what the schema describes.
}

/** The decoder's position in the input, and the problems found so far. */
interface Trail {
	/** Field names, map keys and list indexes on the path to the current value. */
	readonly steps: Step[];
	readonly repeated: RepeatedKeys;
	readonly problems: StrictProblem[];
	/**
	 * If set, errors are collected here instead of thrown, and a value that does not match counts as absent.
	 */
	readonly errors?: DecodeError[];
}

type Step = { readonly name: string; readonly struct?: string } | { readonly index: number };

type Decoder = (value: unknown, trail: Trail) => unknown;

/** Compiled once per schema node, since decoding runs for every request and every stored object. */
const decoderOf = memoize(compile);

function compile(node: SchemaNode): Decoder {
	switch (node.type) {
		case 'string':
			return compileString(node);
		case 'integer':
			return compileInteger(node);
		case 'boolean':
			return (value, trail) => (typeof value === 'boolean' ? value : mismatch(value, node, trail));
		case 'int-or-string':
			return decodeIntOrString;
		case 'raw':
			return node.only === 'any'
				? keepRaw
				: (value, trail) => (isRecord(value) ? value : mismatch(value, node, trail));
		case 'map':
			return compileMap(node);
		case 'list':
			return compileList(node);
		case 'object':
			return compileObject(node);
	}
}

interface FieldDecoder {
	readonly decode: Decoder;
	readonly step: Step;
	/** Whether the field gets its zero value if the input lacks it. */
	readonly filled: boolean;
	/** Whether null is a value of the field, and its zero value. */
	readonly nullable: boolean;
	/** Whether an empty string, list or map, 0 or false is dropped. */
	readonly dropsEmpty: boolean;
}

/**
 * The decoder copies an object at its first changed field and not before (invariant 1): nearly all objects
 * that are decoded, those of the store above all, are canonical already and need no copy.
 */
function compileObject(node: ObjectNode): Decoder {
	const fields = new Map<string, FieldDecoder>();
	const filled = Object.entries(node.fields).flatMap(([name, field]) => (isFilled(field) ? [name] : []));
	const struct = typeName(node);
	const fieldOf = (name: string): FieldDecoder | undefined => {
		const field = Object.hasOwn(node.fields, name) ? node.fields[name] : undefined;
		if (field) fields.set(name, compileField(name, struct, field));
		return fields.get(name);
	};
	return (value, trail) => {
		if (!isRecord(value)) return mismatch(value, node, trail);
		let changed: Record<string, unknown> | undefined;
		let seen = 0;
		for (const name of namesOf(value, trail, node)) {
			const field = fields.get(name) ?? fieldOf(name);
			const item = value[name];
			if (field === undefined) {
				note(trail, 'unknown', name);
				changed ??= copyBefore(value, name);
				continue;
			}
			if (item === null && field.nullable) {
				if (field.filled) seen++;
				if (changed) changed[name] = null;
				continue;
			}
			if (item === undefined || item === null) {
				changed ??= copyBefore(value, name);
				continue;
			}
			trail.steps.push(field.step);
			const decoded = field.decode(item, trail);
			trail.steps.pop();
			if (field.filled) seen++;
			else if (field.dropsEmpty && isEmpty(decoded)) {
				changed ??= copyBefore(value, name);
				continue;
			}
			if (changed) changed[name] = decoded;
			else if (decoded !== item) {
				changed = copyBefore(value, name);
				changed[name] = decoded;
			}
		}
		return seen === filled.length ? (changed ?? value) : withZeros(node, filled, changed ?? value);
	};
}

function compileField(name: string, struct: string, field: Field): FieldDecoder {
	const { schema } = field;
	const mayBeEmpty = schema.type === 'string' || schema.type === 'list' || schema.type === 'map';
	const nullable = schema.type === 'string' && schema.nullable === true;
	const dropsEmpty = field.plain === true || (field.pointer !== true && mayBeEmpty);
	return {
		decode: decoderOf(schema),
		step: { name, struct },
		...{ filled: isFilled(field), nullable, dropsEmpty },
	};
}

function isFilled({ required, always }: Field): boolean {
	return required || always === true;
}

function compileMap(node: Extract<SchemaNode, { readonly type: 'map' }>): Decoder {
	const decodeValue = decoderOf(node.values);
	return (value, trail) => {
		if (!isRecord(value)) return mismatch(value, node, trail);
		let changed = false;
		const entries: [string, unknown][] = [];
		for (const name of namesOf(value, trail)) {
			const item = value[name];
			trail.steps.push({ name });
			const decoded = item === null ? zeroOf(node.values) : decodeValue(item, trail);
			trail.steps.pop();
			if (decoded !== item) changed = true;
			entries.push([name, decoded]);
		}
		// fromEntries, not assignment: a key may be __proto__.
		return changed ? Object.fromEntries(entries) : value;
	};
}

function compileList(node: ListNode): Decoder {
	const decodeItem = decoderOf(node.items);
	return (value, trail) => {
		if (!isList(value)) return mismatch(value, node, trail);
		let changed: unknown[] | undefined;
		for (let index = 0; index < value.length; index++) {
			const item: unknown = value[index];
			trail.steps.push({ index });
			const decoded = item === null ? zeroOf(node.items) : decodeItem(item, trail);
			trail.steps.pop();
			if (decoded !== item) changed ??= value.slice();
			if (changed) changed[index] = decoded;
		}
		return changed ?? value;
	};
}

function compileString(node: StringNode): Decoder {
	const { format } = node;
	if (format === undefined) {
		return (value, trail) => (typeof value === 'string' ? value : mismatch(value, node, trail));
	}
	if (format === 'quantity') return decodeQuantity;
	return (value, trail) => {
		if (typeof value !== 'string') return mismatch(value, node, trail);
		switch (format) {
			case 'time':
				return canonicalTime(value) ?? fail(timeErrorText(value), trail);
			case 'micro-time':
				return canonicalMicroTime(value) ?? fail(microTimeErrorText(value), trail);
			case 'byte':
				return decodeBase64(value, trail);
		}
	};
}

function compileInteger(node: Extract<SchemaNode, { readonly type: 'integer' }>): Decoder {
	const isInRange = node.format === 'int32' ? isInt32 : isInt64;
	return (value, trail) => {
		if (typeof value === 'number' ? isInRange(value) : typeof value === 'bigint' && isInRange(value)) {
			return value;
		}
		const text = numberText(value);
		if (text === undefined) return mismatch(value, node, trail);
		return fail(mismatchText(`number ${text}`, typeName(node), trail), trail);
	};
}

function isInt32(value: Int64): boolean {
	return typeof value === 'number' && (value | 0) === value;
}

/**
 * The JSON reader returns integers beyond 2^53 as bigint (base/json.ts), so a `number` beyond that was not
 * written as an integer.
 */
function isInt64(value: Int64): boolean {
	return typeof value === 'bigint' ? BigInt.asIntN(64, value) === value : Number.isSafeInteger(value);
}

function decodeIntOrString(value: unknown, trail: Trail): unknown {
	if (typeof value === 'string' || (typeof value === 'number' && isInt32(value))) return value;
	const text = numberText(value);
	const kind = text === undefined ? jsonKind(value) : `number ${text}`;
	return fail(mismatchText(kind, 'int32', trail), trail);
}

/** Accepts a bare number as well: `cpu: 1`. */
function decodeQuantity(value: unknown, trail: Trail): unknown {
	try {
		return canonicalQuantity(typeof value === 'string' ? value.trim() : JSON.stringify(value));
	} catch (error) {
		if (error instanceof QuantityError) return fail(error.message, trail);
		throw error;
	}
}

function decodeBase64(text: string, trail: Trail): string | undefined {
	const compact = /[\r\n]/.test(text) ? text.replace(/[\r\n]/g, '') : text;
	if (/^(?:[\w+/]{4})*(?:[\w+/]{2}==|[\w+/]{3}=)?$/.test(compact) && !compact.includes('_')) return compact;
	const wrong = compact.search(/[^A-Za-z0-9+/]/);
	return fail(`illegal base64 data at input byte ${wrong < 0 ? compact.length : wrong}`, trail);
}

/** Returns the JSON unchanged, and only reports duplicate keys. */
function keepRaw(value: unknown, trail: Trail): unknown {
	if (trail.repeated.size === 0 || typeof value !== 'object' || value === null) return value;
	if (isRecord(value)) {
		for (const name of namesOf(value, trail)) keepRawPart(value[name], { name }, trail);
	} else if (isList(value)) {
		for (const [index, item] of value.entries()) keepRawPart(item, { index }, trail);
	}
	return value;
}

function keepRawPart(value: unknown, step: Step, trail: Trail): void {
	trail.steps.push(step);
	keepRaw(value, trail);
	trail.steps.pop();
}

/**
 * The keys of an object, each once. A duplicate key is reported at its second occurrence, as upstream does.
 */
function namesOf(value: JsonRecord, trail: Trail, node?: ObjectNode): Iterable<string> {
	const repeated = trail.repeated.get(value);
	return repeated ? eachOnce(repeated, trail, node) : Object.keys(value);
}

function* eachOnce(names: readonly string[], trail: Trail, node: ObjectNode | undefined): Iterable<string> {
	const met = new Set<string>();
	const noted = new Set<string>();
	for (const name of names) {
		if (!met.has(name)) {
			met.add(name);
			yield name;
		} else if (!noted.has(name) && (!node || Object.hasOwn(node.fields, name))) {
			noted.add(name);
			note(trail, 'duplicate', name);
		}
	}
}

function note(trail: Trail, type: StrictProblem['type'], name: string): void {
	if (trail.problems.length < MAX_PROBLEMS) trail.problems.push({ type, path: pathOf(trail, name) });
}

/** A copy of `value` up to `name`, for the first change: all fields before it were kept unchanged. */
function copyBefore(value: JsonRecord, name: string): Record<string, unknown> {
	const copy: Record<string, unknown> = {};
	for (const key in value) {
		if (key === name) break;
		copy[key] = value[key];
	}
	return copy;
}

function withZeros(node: ObjectNode, filled: readonly string[], value: JsonRecord): JsonRecord {
	const full: Record<string, unknown> = { ...value };
	for (const name of filled) {
		const field = node.fields[name];
		if (field === undefined || Object.hasOwn(full, name)) continue;
		const zero = zeroOf(field.schema);
		if (zero !== undefined) full[name] = zero;
	}
	return full;
}

/**
 * The zero value of a schema; undefined for times and raw JSON, which have none. Frozen, since all objects
 * share it.
 */
function zeroOf(node: SchemaNode): unknown {
	switch (node.type) {
		case 'string':
			if (node.nullable) return null;
			if (node.format === 'quantity') return '0';
			return node.format === 'time' || node.format === 'micro-time' ? undefined : '';
		case 'integer':
		case 'int-or-string':
			return 0;
		case 'boolean':
			return false;
		case 'raw':
			return undefined;
		case 'map':
			return NO_ENTRIES;
		case 'list':
			return NO_ITEMS;
		case 'object':
			return deepFreeze(decoderOf(node)({}, { steps: [], repeated: NO_REPEATED_KEYS, problems: [] }));
	}
}

const NO_ENTRIES: JsonRecord = Object.freeze({});
const NO_ITEMS: readonly unknown[] = Object.freeze([]);

function isEmpty(value: unknown): boolean {
	if (value === 0 || value === false) return true;
	if (typeof value === 'string') return value === '';
	if (isList(value)) return value.length === 0;
	if (!isRecord(value)) return false;
	for (const _ in value) return false;
	return true;
}

function mismatch(value: unknown, node: SchemaNode, trail: Trail): undefined {
	return fail(mismatchText(jsonKind(value), typeName(node), trail), trail);
}

function fail(message: string, trail: Trail): undefined {
	const error = new DecodeError(message, pathOf(trail));
	if (!trail.errors) throw error;
	trail.errors.push(error);
	return undefined;
}

/** Go's text names the innermost struct and the path of fields, without list indexes and map keys. */
function mismatchText(kind: string, type: string, trail: Trail): string {
	let struct = '';
	const names: string[] = [];
	for (const step of trail.steps) {
		if (!('struct' in step) || step.struct === undefined) continue;
		names.push(step.name);
		struct = step.struct;
	}
	if (struct === '') return `json: cannot unmarshal ${kind} into Go value of type ${type}`;
	const where = `${struct.replace(/^.*\./, '')}.${names.join('.')}`;
	return `json: cannot unmarshal ${kind} into Go struct field ${where} of type ${type}`;
}

/** The name of a JSON value's type in errors of Go's decoder: `object`, `array`, `bool`, … */
export function jsonKind(value: unknown): string {
	if (typeof value === 'boolean') return 'bool';
	if (isList(value)) return 'array';
	if (numberText(value) !== undefined) return 'number';
	return value === null ? 'null' : typeof value;
}

/** The name of the Go type. The schema does not know those of enumerations, so they are `string` here. */
function typeName(node: SchemaNode): string {
	switch (node.type) {
		case 'string':
			if (node.format === 'byte') return '[]uint8';
			return node.format === 'quantity' ? 'resource.Quantity' : 'string';
		case 'integer':
			return node.format;
		case 'boolean':
			return 'bool';
		case 'int-or-string':
			return 'int32';
		case 'raw':
			return 'map[string]interface {}';
		case 'map':
			return `map[string]${typeName(node.values)}`;
		case 'list':
			return `[]${typeName(node.items)}`;
		case 'object':
			return node.name.replace(/^io\.k8s\..*\./, 'v1.');
	}
}

function pathOf(trail: Trail, name?: string): string {
	let path = '';
	for (const step of trail.steps) {
		if ('index' in step) path += `[${step.index}]`;
		else path += path === '' ? step.name : `.${step.name}`;
	}
	if (name === undefined) return path;
	return path === '' ? name : `${path}.${name}`;
}
