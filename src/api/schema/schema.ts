/**
 * The language of schemas. A kind is described once: its static type, strict decoding, pruning, list-map
 * keys, patch strategy, protobuf encoding, OpenAPI and `kubectl explain` all derive from the same schema.
 *
 * Four folders are what all kinds share; they know none of them. Reading order: api/schema (schema.ts,
 * decode.ts), api/meta (object-meta.ts, names.ts, validate-meta.ts, selector.ts), api/errors (field-path.ts and
 * field-errors.ts for validation, api-error.ts), api/contract (resource-definition.ts, and transport.ts, the
 * interface between components).
 *
 * 1. An optional field is absent when unset, as a Go field with `omitempty`.
 * 2. A `required` field is always present, with its zero value if the client omitted it, as upstream
 *    serializes a Go field without `omitempty`. Whether an empty value is valid is for validation to decide.
 * 3. Between the two are fields that a client may omit and that are written all the same ({@link always}).
 * 4. Types are read-only throughout: an object is immutable after its creation (see base/json/freeze.ts).
 *
 * TypeBox was tried and rejected: its import takes 75 to 95 ms of a start that may take 300, and 16 MB of
 * memory, and strict decoding by Go's rules would still have to be written here.
 */

import type { Int64 } from '../../base/json/json.ts';

declare const inferred: unique symbol;

/** A value's schema; `T` is the static type of the decoded value. */
export type Schema<T = unknown> = SchemaNode & { readonly [inferred]?: T };

/** The static type that a schema describes. */
export type Infer<S> = S extends { readonly [inferred]?: infer T } ? Exclude<T, undefined> : never;

/** The types of values that a schema can describe. */
export type SchemaNode =
	| StringNode
	| { readonly type: 'integer'; readonly format: 'int32' | 'int64' }
	| { readonly type: 'boolean' }
	/** JSON that is kept undecoded: a JSON object, or any value. */
	| { readonly type: 'raw'; readonly only: 'object' | 'any' }
	/** An int or a string (ports of probes and Services). */
	| { readonly type: 'int-or-string' }
	| { readonly type: 'map'; readonly values: SchemaNode }
	| ListNode
	| ObjectNode;

/** A string. Decoding checks those with a `format` and rewrites them in canonical spelling. */
export interface StringNode {
	readonly type: 'string';
	/** `time`: RFC 3339 by the second; `micro-time`: with six decimals; `quantity`: `500m`, `1Gi`; `byte`: base64. */
	readonly format?: 'time' | 'micro-time' | 'quantity' | 'byte';
	/** Null is allowed and is the zero value. */
	readonly nullable?: true;
	/** The values that the documentation lists. Validation checks them, decoding accepts any string. */
	readonly enum?: readonly string[];
}

/** A list, and how patches merge it. */
export interface ListNode {
	readonly type: 'list';
	readonly items: SchemaNode;
	/** `atomic`: replaced whole; `set`: merged by value; `map`: merged by `keys`. */
	readonly list: 'atomic' | 'set' | 'map';
	readonly keys?: readonly string[];
	/** The strategic merge key, where it is only one of several `keys` (ports: containerPort). */
	readonly mergeKey?: string;
	/** Whether the patch strategy of the items includes `retainKeys` (volumes). */
	readonly retainKeys?: boolean;
	/**
	 * The strategy of a strategic merge patch, where it differs from server-side apply (upstream's
	 * patchStrategy need not agree with its listType). By default lists of type `map` are merged and all others
	 * replaced.
	 */
	readonly patch?: 'merge' | 'replace';
}

/** An object with known fields. `name` is its OpenAPI component, as `io.k8s.api.batch.v1.JobSpec`. */
export interface ObjectNode {
	readonly type: 'object';
	readonly name: string;
	readonly description: string;
	readonly fields: Readonly<Record<string, Field>>;
	/** Whether server-side apply replaces the object as a whole (selectors, references). */
	readonly atomic?: boolean;
	/**
	 * Whether a strategic merge patch keeps only the keys that it names (`$retainKeys`, deployment strategies).
	 */
	readonly retainKeys?: boolean;
}

/** A field of an object. */
export interface Field<T = unknown, R extends boolean = boolean> {
	readonly schema: Schema<T>;
	/**
	 * The text that `kubectl explain` prints: the meaning of the field, its default and bounds, ending with a
	 * period.
	 */
	readonly description: string;
	readonly required: R;
	/** See {@link nullable}. */
	readonly pointer?: true;
	/** See {@link omitZero}. */
	readonly plain?: true;
	/** See {@link always}. */
	readonly always?: true;
}

type FieldMap = Readonly<Record<string, Field>>;
type RequiredKeys<F extends FieldMap> = {
	[K in keyof F]: F[K] extends Field<unknown, true> ? K : never;
}[keyof F];
type FieldType<F> = F extends Field<infer T, boolean> ? T : never;

/** The static type of an object with the fields `F`. */
export type ObjectOf<F extends FieldMap> = {
	readonly [K in RequiredKeys<F>]: FieldType<F[K]>;
} & { readonly [K in Exclude<keyof F, RequiredKeys<F>>]?: FieldType<F[K]> } extends infer O
	? { readonly [K in keyof O]: O[K] }
	: never;

/** An optional field. Decoding drops an empty string, list or map, and keeps 0 and false. */
export function optional<T>(schema: Schema<T>, description: string): Field<T, false> {
	return { schema, description, required: false };
}

/**
 * An optional field whose empty value differs from its absence: upstream's Go type is a pointer. Decoding
 * keeps the empty string, list or map, which it drops from an {@link optional} field as upstream does.
 */
export function nullable<T>(schema: Schema<T>, description: string): Field<T, false> {
	return { schema, description, required: false, pointer: true };
}

/**
 * An optional number or boolean whose zero value means absent: upstream's Go type is no pointer, so decoding
 * drops 0 and false. (It keeps those of {@link optional} fields, where a limit of 0 differs from no limit.)
 */
export function omitZero<T extends Int64 | boolean>(schema: Schema<T>, description: string): Field<T, false> {
	return { schema, description, required: false, plain: true };
}

/**
 * An optional field that is written even if it is empty, since clients rely on its presence: upstream's Go
 * type is a struct, which Go's encoder does not omit. Decoding sets its zero value: `{}`, or null if the
 * schema is nullable. Its static type is that of an optional field, because objects that this program creates
 * may lack it until they are written.
 */
export function always<T>(schema: Schema<T>, description: string): Field<T, false> {
	return { schema, description, required: false, always: true };
}

/** A field that is always present; see the header. */
export function required<T>(schema: Schema<T>, description: string): Field<T, true> {
	return { schema, description, required: true };
}

/** An object with known fields. `name` is that of its OpenAPI component. */
export function object<const F extends FieldMap>(
	name: string,
	description: string,
	fields: F,
): ObjectNode & { readonly fields: F; readonly [inferred]?: ObjectOf<F> } {
	return { type: 'object', name, description, fields };
}

/** The object `node`, which server-side apply replaces as a whole (upstream: structType=atomic). */
export function atomic<N extends ObjectNode>(node: N): N {
	return { ...node, atomic: true };
}

/** Any string. */
export const string: Schema<string> = { type: 'string' };

/**
 * A string that the documentation limits to `values`. Validation checks that; decoding accepts any string.
 */
export function oneOf<const V extends string>(...values: readonly V[]): Schema<V> {
	return { type: 'string', enum: values };
}

/** A time as RFC 3339 text in UTC, in whole seconds: `2026-01-31T08:00:00Z`. */
export const time: Schema<string> = { type: 'string', format: 'time' };

/** A time as RFC 3339 text in UTC with six decimals. */
export const microTime: Schema<string> = { type: 'string', format: 'micro-time' };

/** As {@link time}, or null: Go's encoder writes an unset time as null. */
export const timeOrNull: Schema<string | null> = { type: 'string', format: 'time', nullable: true };

/** As {@link microTime}, or null. */
export const microTimeOrNull: Schema<string | null> = {
	type: 'string',
	format: 'micro-time',
	nullable: true,
};

/** Any string, or null. */
export const stringOrNull: Schema<string | null> = { type: 'string', nullable: true };

/** A quantity in canonical spelling, `500m` or `1Gi`. */
export const quantity: Schema<string> = { type: 'string', format: 'quantity' };

/** Bytes as base64 text. */
export const bytes: Schema<string> = { type: 'string', format: 'byte' };

/** A signed 32-bit integer. */
export const int32: Schema<number> = { type: 'integer', format: 'int32' };

/** A signed 64-bit integer, exact: see {@link Int64}. */
export const int64: Schema<Int64> = { type: 'integer', format: 'int64' };

/** True or false. */
export const boolean: Schema<boolean> = { type: 'boolean' };

/** An integer or a string: a port by number or name. */
export const intOrString: Schema<number | string> = { type: 'int-or-string' };

/** Any JSON value, kept unchanged. */
export const raw: Schema<unknown> = { type: 'raw', only: 'any' };

/** Any JSON object, kept unchanged. */
export const rawObject: Schema<Readonly<Record<string, unknown>>> = { type: 'raw', only: 'object' };

/** A map with arbitrary keys, whose values all have the same schema. */
export function map<T>(values: Schema<T>): Schema<Readonly<Record<string, T>>> {
	return { type: 'map', values };
}

/** A list that patches replace as a whole, unless `traits` set a strategy for strategic merge patches. */
export function list<T>(
	items: Schema<T>,
	traits: Pick<ListNode, 'mergeKey' | 'patch'> = {},
): Schema<readonly T[]> {
	return { type: 'list', items, list: 'atomic', ...traits };
}

/** A list of scalars without duplicates; see {@link ListNode} for `patch`. */
export function setList<T>(items: Schema<T>, traits: Pick<ListNode, 'patch'> = {}): Schema<readonly T[]> {
	return { type: 'list', items, list: 'set', ...traits };
}

/** A list of objects that patches merge by `keys`; see {@link ListNode} for the traits. */
export function mapList<T>(
	items: Schema<T>,
	keys: readonly string[],
	traits: Pick<ListNode, 'mergeKey' | 'retainKeys' | 'patch'> = {},
): Schema<readonly T[]> {
	return { type: 'list', items, list: 'map', keys, ...traits };
}
