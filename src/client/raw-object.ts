import { isRecord } from '../base/json.ts';

/**
 * Reading JSON or YAML whose shape is not known: each look says what it found, or undefined. For what
 * has a schema there is api/meta/decode.ts.
 */

/** A JSON object whose fields nobody has looked at yet. */
export type RawObject = Readonly<Record<string, unknown>>;

/** Whether `value` is a JSON object (not null, not a list). */
export function isRawObject(value: unknown): value is RawObject {
	return isRecord(value);
}

/** The object in `value`'s field `name`; an empty one where there is none. */
export function objectAt(value: unknown, name: string): RawObject {
	const found = isRawObject(value) ? value[name] : undefined;
	return isRawObject(found) ? found : NOTHING;
}

/** The list in `value`'s field `name`; empty where there is none. */
export function listAt(value: unknown, name: string): readonly unknown[] {
	const found = isRawObject(value) ? value[name] : undefined;
	return Array.isArray(found) ? found : [];
}

/** The text in `value`'s field `name`, where it is one. */
export function textAt(value: unknown, name: string): string | undefined {
	const found = isRawObject(value) ? value[name] : undefined;
	return typeof found === 'string' ? found : undefined;
}

const NOTHING: RawObject = Object.freeze({});
