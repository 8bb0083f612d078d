/**
 * The position of a decoder in its input, and the errors and strict problems that it reports there, with the
 * texts of Go's decoder.
 */

import { type JsonRecord, numberText } from '../../base/json/json.ts';
import type { RepeatedKeys } from '../../base/json/json-reader.ts';
import type { ObjectNode, SchemaNode } from './schema.ts';

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

/** The decoder's position in the input, and the problems found so far. */
export interface Trail {
	/** Field names, map keys and list indexes on the path to the current value. */
	readonly steps: TrailStep[];
	readonly repeated: RepeatedKeys;
	readonly problems: StrictProblem[];
	/**
	 * If set, errors are collected here instead of thrown, and a value that does not match counts as absent.
	 */
	readonly errors?: DecodeError[];
}

/** A part of the path to the current value. `struct` is the Go type whose field it is. */
export type TrailStep = { readonly name: string; readonly struct?: string } | { readonly index: number };

/** Decodes a value at the end of the trail. */
export type Decoder = (value: unknown, trail: Trail) => unknown;

/**
 * The keys of an object, each once. A duplicate key is reported at its second occurrence, as upstream does.
 */
export function namesOf(value: JsonRecord, trail: Trail, node?: ObjectNode): Iterable<string> {
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

/** Adds a strict problem of the field `name` of the current object. */
export function note(trail: Trail, type: StrictProblem['type'], name: string): void {
	if (trail.problems.length < MAX_PROBLEMS) trail.problems.push({ type, path: pathOf(trail, name) });
}

/** Reports that the value does not have the type of `node`; see {@link fail}. */
export function mismatch(value: unknown, node: SchemaNode, trail: Trail): undefined {
	return fail(mismatchText(jsonKind(value), typeName(node), trail), trail);
}

/** Throws a {@link DecodeError} at the current value, or adds it to the errors that the trail collects. */
export function fail(message: string, trail: Trail): undefined {
	const error = new DecodeError(message, pathOf(trail));
	if (!trail.errors) throw error;
	trail.errors.push(error);
	return undefined;
}

/** Go's text names the innermost struct and the path of fields, without list indexes and map keys. */
export function mismatchText(kind: string, type: string, trail: Trail): string {
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
	if (Array.isArray(value)) return 'array';
	if (numberText(value) !== undefined) return 'number';
	return value === null ? 'null' : typeof value;
}

/** The name of the Go type. The schema does not know those of enumerations, so they are `string` here. */
export function typeName(node: SchemaNode): string {
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
