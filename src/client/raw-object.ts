import { isRecord } from '../base/json/json.ts';

/**
 * Accessors for JSON or YAML of unknown shape, such as kubeconfigs: each checks the type of the field that it
 * reads. Objects of the API have schemas and are decoded by api/meta/decode.ts instead.
 */

/** A JSON object whose fields have not been checked. */
export type RawObject = Readonly<Record<string, unknown>>;

/** Whether `value` is a JSON object, and neither null nor a list. */
export function isRawObject(value: unknown): value is RawObject {
	return isRecord(value);
}

/** The object in the field `name` of `value`; an empty object if there is none. */
export function objectAt(value: unknown, name: string): RawObject {
	const found = isRawObject(value) ? value[name] : undefined;
	return isRawObject(found) ? found : NOTHING;
}

/** The list in the field `name` of `value`; an empty list if there is none. */
export function listAt(value: unknown, name: string): readonly unknown[] {
	const found = isRawObject(value) ? value[name] : undefined;
	return Array.isArray(found) ? found : [];
}

/** The string in the field `name` of `value`; undefined if there is none. */
export function textAt(value: unknown, name: string): string | undefined {
	const found = isRawObject(value) ? value[name] : undefined;
	return typeof found === 'string' ? found : undefined;
}

const NOTHING: RawObject = Object.freeze({});
