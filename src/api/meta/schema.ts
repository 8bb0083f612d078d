/**
 * The language in which a kind is described, once: its static type, strict decoding, pruning, defaults,
 * list-map keys, patch strategy, OpenAPI and `explain` are all read off the same schema.
 *
 * A field is either optional (absent when unset, as Go's `omitempty`) or `required`: always there, with
 * its zero value where the client left it out, as upstream serialises a Go field without `omitempty`.
 * Whether an empty required field is acceptable is for validation to say. Between the two are those that a
 * client may leave out and that are written all the same ({@link always}).
 *
 * Types are read-only throughout: an object is immutable once made (see base/freeze.ts).
 *
 * TypeBox was tried and left: its import costs 75 to 95 ms of a start that may take 300, and 16 MB,
 * and strict decoding by Go's rules would have been ours all the same.
 */

import type { Int64 } from '../../base/json.ts';

declare const inferred: unique symbol;

/** A value's schema; `T` is the static type of the decoded value. */
export type Schema<T = unknown> = SchemaNode & { readonly [inferred]?: T };

/** The static type that a schema describes. */
export type Infer<S> = S extends { readonly [inferred]?: infer T } ? Exclude<T, undefined> : never;

/** The shapes a value can have. */
export type SchemaNode =
	| StringNode
	| { readonly type: 'integer'; readonly format: 'int32' | 'int64' }
	| { readonly type: 'boolean' }
	/** JSON taken as it comes (a JSON object, or any value at all). */
	| { readonly type: 'raw'; readonly only: 'object' | 'any' }
	/** An int or a string (ports of probes and Services). */
	| { readonly type: 'int-or-string' }
	| { readonly type: 'map'; readonly values: SchemaNode }
	| ListNode
	| ObjectNode;

/** Text; some texts have a form that decoding checks and puts into its canonical spelling. */
export interface StringNode {
	readonly type: 'string';
	/** `time`: RFC 3339 by the second; `micro-time`: with six decimals; `quantity`: `500m`, `1Gi`; `byte`: base64. */
	readonly format?: 'time' | 'micro-time' | 'quantity' | 'byte';
	/** Null stands for no value, and is the zero. */
	readonly nullable?: true;
	/** The values the documentation lists; validation checks them, not decoding. */
	readonly enum?: readonly string[];
}

/** A list and how a patch merges it. */
export interface ListNode {
	readonly type: 'list';
	readonly items: SchemaNode;
	/** `atomic`: replaced whole; `set`: merged by value; `map`: merged by `keys`. */
	readonly list: 'atomic' | 'set' | 'map';
	readonly keys?: readonly string[];
	/** The strategic merge key, which for some lists is not the whole of `keys` (ports: containerPort). */
	readonly mergeKey?: string;
	/** `retainKeys` in addition to merging (volumes). */
	readonly retainKeys?: boolean;
	/**
	 * What a strategic merge patch does, where that differs from the other patches (upstream's
	 * patchStrategy need not agree with its listType): by default it merges maps and replaces the rest.
	 */
	readonly patch?: 'merge' | 'replace';
}

/** An object with known fields. `name` is its OpenAPI component, as `io.k8s.api.batch.v1.JobSpec`. */
export interface ObjectNode {
	readonly type: 'object';
	readonly name: string;
	readonly description: string;
	readonly fields: Readonly<Record<string, Field>>;
	/** Replaced whole by server-side apply (selectors, references). */
	readonly atomic?: boolean;
	/** The strategic merge patch keeps only the keys it names (`$retainKeys`, deployment strategies). */
	readonly retainKeys?: boolean;
}

/** A field of an object. */
export interface Field<T = unknown, R extends boolean = boolean> {
	readonly schema: Schema<T>;
	readonly description: string;
	readonly required: R;
	/** See {@link pointer}. */
	readonly pointer?: true;
	/** See {@link plain}. */
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

/** An optional field. */
export function optional<T>(schema: Schema<T>, description: string): Field<T, false> {
	return { schema, description, required: false };
}

/**
 * An optional field whose empty text differs from its absence: upstream's type is a pointer. Of every
 * other optional field an empty text, list or map is dropped by decoding, as upstream drops it.
 */
export function pointer<T>(schema: Schema<T>, description: string): Field<T, false> {
	return { schema, description, required: false, pointer: true };
}

/**
 * An optional number or boolean whose zero is its absence: upstream's type is no pointer, so that 0 and
 * false are dropped by decoding. (Of {@link optional} ones they are kept: a limit of 0 is not no limit.)
 */
export function plain<T extends Int64 | boolean>(schema: Schema<T>, description: string): Field<T, false> {
	return { schema, description, required: false, plain: true };
}

/**
 * An optional field that is written even where it says nothing, since clients rely on that: upstream's type is a
 * struct, which Go's encoding does not omit. Decoding fills in its zero: `{}`, or null where the schema says so.
 * Its static type is that of an optional one, because objects that this program makes may lack it until they
 * are written.
 */
export function always<T>(schema: Schema<T>, description: string): Field<T, false> {
	return { schema, description, required: false, always: true };
}

/** A field that is always there; see the header. */
export function required<T>(schema: Schema<T>, description: string): Field<T, true> {
	return { schema, description, required: true };
}

/** An object with known fields; name is the OpenAPI component's. */
export function object<const F extends FieldMap>(
	name: string,
	description: string,
	fields: F,
	traits: Pick<ObjectNode, 'atomic' | 'retainKeys'> = {},
): ObjectNode & { readonly fields: F; readonly [inferred]?: ObjectOf<F> } {
	return { type: 'object', name, description, fields, ...traits };
}

/** Free text. */
export const string: Schema<string> = { type: 'string' };

/** Text that the documentation limits to `values` (validation says so; decoding takes any text). */
export function oneOf<const V extends string>(...values: readonly V[]): Schema<V> {
	return { type: 'string', enum: values };
}

/** An instant as RFC 3339 text in UTC by the second, `2026-01-31T08:00:00Z`. */
export const time: Schema<string> = { type: 'string', format: 'time' };

/** An instant as RFC 3339 text in UTC with six decimals. */
export const microTime: Schema<string> = { type: 'string', format: 'micro-time' };

/** The same instants where null stands for none, as Go's encoding writes a time that is not set. */
export const timeOrNull: Schema<string | null> = { type: 'string', format: 'time', nullable: true };

/** See {@link timeOrNull}. */
export const microTimeOrNull: Schema<string | null> = {
	type: 'string',
	format: 'micro-time',
	nullable: true,
};

/** Free text, or null for none. */
export const stringOrNull: Schema<string | null> = { type: 'string', nullable: true };

/** A quantity in canonical spelling, `500m` or `1Gi`. */
export const quantity: Schema<string> = { type: 'string', format: 'quantity' };

/** Bytes as base64 text. */
export const bytes: Schema<string> = { type: 'string', format: 'byte' };

/** A whole number of 32 bits. */
export const int32: Schema<number> = { type: 'integer', format: 'int32' };

/** A whole number of 64 bits, exact: see {@link Int64}. */
export const int64: Schema<Int64> = { type: 'integer', format: 'int64' };

/** True or false. */
export const boolean: Schema<boolean> = { type: 'boolean' };

/** A number or a name of a port. */
export const intOrString: Schema<number | string> = { type: 'int-or-string' };

/** Any JSON value, kept as it is. */
export const raw: Schema<unknown> = { type: 'raw', only: 'any' };

/** Any JSON object, kept as it is. */
export const rawObject: Schema<Readonly<Record<string, unknown>>> = { type: 'raw', only: 'object' };

/** An object whose keys are free and whose values all have one schema. */
export function map<T>(values: Schema<T>): Schema<Readonly<Record<string, T>>> {
	return { type: 'map', values };
}

/** A list that a patch replaces whole, unless `traits` name how a strategic merge patch merges it. */
export function list<T>(
	items: Schema<T>,
	traits: Pick<ListNode, 'mergeKey' | 'patch'> = {},
): Schema<readonly T[]> {
	return { type: 'list', items, list: 'atomic', ...traits };
}

/** A list of plain values without repetition; see {@link ListNode} for `patch`. */
export function setList<T>(items: Schema<T>, traits: Pick<ListNode, 'patch'> = {}): Schema<readonly T[]> {
	return { type: 'list', items, list: 'set', ...traits };
}

/** A list of objects that a patch merges by `keys`; see {@link ListNode} for the traits. */
export function mapList<T>(
	items: Schema<T>,
	keys: readonly string[],
	traits: Pick<ListNode, 'mergeKey' | 'retainKeys' | 'patch'> = {},
): Schema<readonly T[]> {
	return { type: 'list', items, list: 'map', keys, ...traits };
}
