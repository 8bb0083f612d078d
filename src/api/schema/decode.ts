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

import { memoize } from '../../base/collections/memoize.ts';
import { deepFreeze } from '../../base/json/freeze.ts';
import { isList, isRecord, type JsonRecord } from '../../base/json/json.ts';
import { NO_REPEATED_KEYS, type RepeatedKeys } from '../../base/json/json-reader.ts';
import { compileInteger, compileString, decodeIntOrString } from './decode-scalar.ts';
import {
	type DecodeError,
	type Decoder,
	mismatch,
	namesOf,
	note,
	type StrictProblem,
	type Trail,
	type TrailStep,
	typeName,
} from './decode-trail.ts';
import type { Field, Infer, ListNode, ObjectNode, Schema, SchemaNode } from './schema.ts';

export { DecodeError, type StrictProblem } from './decode-trail.ts';

/** A decoded value, and the problems that strict decoding refuses. */
export interface Decoded<T> {
	readonly value: T;
	/** In the order of the input; at most 100, as upstream. */
	readonly problems: readonly StrictProblem[];
}

/**
 * Decodes `json` by `schema`; see the header. `repeated` are the duplicate keys that the JSON reader found
 * (base/json/json-reader.ts). Throws a {@link DecodeError} at the first value that does not match.
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
	readonly step: TrailStep;
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
		filled: isFilled(field),
		nullable,
		dropsEmpty,
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

function keepRawPart(value: unknown, step: TrailStep, trail: Trail): void {
	trail.steps.push(step);
	keepRaw(value, trail);
	trail.steps.pop();
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
