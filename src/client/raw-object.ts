/**
 * Accessors for JSON or YAML of unknown shape, such as kubeconfigs: each checks the type of the field that it
 * reads. Objects of the API have schemas and are decoded by api/schema/decode.ts instead.
 */

import { isList, isRecord, type JsonRecord } from '../base/json/json.ts';

/** The object in the field `name` of `value`; an empty object if there is none. */
export function objectAt(value: unknown, name: string): JsonRecord {
	const found = isRecord(value) ? value[name] : undefined;
	return isRecord(found) ? found : NOTHING;
}

/** The list in the field `name` of `value`; an empty list if there is none. */
export function listAt(value: unknown, name: string): readonly unknown[] {
	const found = isRecord(value) ? value[name] : undefined;
	return isList(found) ? found : [];
}

/** The string in the field `name` of `value`; undefined if there is none. */
export function textAt(value: unknown, name: string): string | undefined {
	const found = isRecord(value) ? value[name] : undefined;
	return typeof found === 'string' ? found : undefined;
}

const NOTHING: JsonRecord = Object.freeze({});
