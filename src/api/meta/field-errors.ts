import type { Int64 } from '../../base/json.ts';
import { quote } from '../../base/quote.ts';
import type { FieldError, FieldPath } from './field.ts';

/**
 * The errors that validation reports, in upstream's forms. A field's value is part of the text where
 * upstream shows it, so never pass a secret as `value`.
 */

const NONE: readonly FieldError[] = Object.freeze([]);

/** The field must be set. */
export function required(path: FieldPath, detail = ''): FieldError {
	return { type: 'Required', field: path.text, message: withDetail('Required value', detail) };
}

/** The field's value is malformed or out of bounds; `detail` says what it must be. */
export function invalid(path: FieldPath, value: unknown, detail: string): FieldError {
	return { type: 'Invalid', field: path.text, message: withDetail(`Invalid value: ${show(value)}`, detail) };
}

/** The field's value is not acceptable, and it is too large or too far away to be shown. */
export function invalidUnshown(path: FieldPath, detail: string): FieldError {
	return { type: 'Invalid', field: path.text, message: withDetail('Invalid value', detail) };
}

/** The field's value has the wrong type. */
export function typeInvalid(path: FieldPath, value: unknown, detail: string): FieldError {
	const message = withDetail(`Invalid value: ${show(value)}`, detail);
	return { type: 'TypeInvalid', field: path.text, message };
}

/** The field's value is none of `supported`, which are named in the order given. */
export function notSupported(path: FieldPath, value: unknown, supported: readonly string[]): FieldError {
	const detail = supported.length === 0 ? '' : `supported values: ${supported.map(quote).join(', ')}`;
	const message = withDetail(`Unsupported value: ${show(value)}`, detail);
	return { type: 'NotSupported', field: path.text, message };
}

/** The errors of a text that must be one of `supported`: Required where it is empty, else NotSupported. */
export function chosen(
	path: FieldPath,
	value: string | undefined,
	supported: readonly string[],
	detail = '',
): readonly FieldError[] {
	if (value === undefined || value === '') return [required(path, detail)];
	return supported.includes(value) ? NONE : [notSupported(path, value, supported)];
}

/** The errors of a text about whose form `problems` were found. */
export function malformed(
	path: FieldPath,
	value: string,
	problems: readonly string[],
): readonly FieldError[] {
	return problems.length === 0 ? NONE : problems.map((problem) => invalid(path, value, problem));
}

/** The value occurs a second time where it must be unique. */
export function duplicate(path: FieldPath, value: unknown): FieldError {
	return { type: 'Duplicate', field: path.text, message: `Duplicate value: ${show(value)}` };
}

/** The field may not be set here, or not to this; `detail` says why. */
export function forbidden(path: FieldPath, detail: string): FieldError {
	return { type: 'Forbidden', field: path.text, message: withDetail('Forbidden', detail) };
}

/** The text is longer than `maxBytes` bytes in UTF-8; its value is not shown. */
export function tooLong(path: FieldPath, maxBytes: number): FieldError {
	return { type: 'TooLong', field: path.text, message: `Too long: ${atMost(maxBytes, 'byte')}` };
}

/** The text is longer than `maxCharacters` characters; its value is not shown. */
export function tooLongCharacters(path: FieldPath, maxCharacters: number): FieldError {
	return { type: 'TooLong', field: path.text, message: `Too long: ${atMost(maxCharacters, 'character')}` };
}

/** The list has `count` items where `max` are allowed. */
export function tooMany(path: FieldPath, count: number, max: number): FieldError {
	const message = `Too many: ${count}: must have at most ${max} ${max === 1 ? 'item' : 'items'}`;
	return { type: 'TooMany', field: path.text, message };
}

/** The field names something that is not there. */
export function notFound(path: FieldPath, value: unknown): FieldError {
	return { type: 'NotFound', field: path.text, message: `Not found: ${show(value)}` };
}

/** Something of ours failed while the field was looked at. */
export function internal(path: FieldPath, detail: string): FieldError {
	return { type: 'Internal', field: path.text, message: withDetail('Internal error', detail) };
}

/** The field may not change once the object is there; `value` is the new one. */
export function immutable(path: FieldPath, value: unknown): FieldError {
	return invalid(path, value, FIELD_IMMUTABLE);
}

/** The detail of {@link immutable}. */
export const FIELD_IMMUTABLE = 'field is immutable';

/** The field must not be negative: an error if it is. */
export function nonNegative(path: FieldPath, value: Int64): readonly FieldError[] {
	return value < 0 ? [invalid(path, value, 'must be greater than or equal to 0')] : NONE;
}

function withDetail(text: string, detail: string): string {
	return detail === '' ? text : `${text}: ${detail}`;
}

function atMost(max: number, unit: string): string {
	return max < 0 ? 'value is too long' : `may not be more than ${max} ${unit}${max === 1 ? '' : 's'}`;
}

function show(value: unknown): string {
	if (typeof value === 'string') return quote(value);
	// Go escapes these three in JSON, so that it can stand in HTML.
	return (JSON.stringify(value) ?? 'null').replace(
		/[<>&]/g,
		(char) => `\\u00${char.charCodeAt(0).toString(16)}`,
	);
}
