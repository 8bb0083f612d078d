/**
 * Constructors for the errors of validation (upstream: k8s.io/apimachinery/pkg/util/validation/field), with
 * upstream's texts. The text shows the field's value where upstream's does, so never pass a secret as
 * `value`.
 *
 * An object of 3 MB can violate 100,000 rules, and each error can show a value of 3 MB. So a validation stops
 * at its {@link MAX_ERRORS}th error. It shows at most {@link MAX_SHOWN} characters of values in total, but at
 * least {@link ALWAYS_SHOWN} of each.
 */

import type { Int64 } from '../../base/json/json.ts';
import { quote } from '../../base/quote.ts';
import type { FieldError, FieldPath } from './field-path.ts';
import { showValue } from './show-value.ts';

const NONE: readonly FieldError[] = Object.freeze([]);

/** Maximum number of errors of one validation. Upstream has no limit. */
export const MAX_ERRORS = 1000;

const MAX_SHOWN = 128 * 1024;
const ALWAYS_SHOWN = 1000;

/**
 * The validation in progress: its errors in order of creation, and the number of characters of values shown.
 */
interface Run {
	readonly errors: FieldError[];
	shown: number;
}

/**
 * Module state, since passing it through every validation function would clutter all of them. Validation is
 * synchronous.
 */
let run: Run | undefined;

/**
 * Thrown to stop the validation in progress at its {@link MAX_ERRORS}th error; {@link collectErrors} catches
 * it.
 */
class ErrorLimitReached extends Error {
	override readonly name = 'ErrorLimitReached';
}

/**
 * Runs `validate` and returns its errors, at most the first {@link MAX_ERRORS}: then the rest of the object
 * is not validated. Errors are counted when they are created, not when they are returned: a validation
 * creates none that it does not return.
 */
export function collectErrors(validate: () => readonly FieldError[]): readonly FieldError[] {
	const outer = run;
	const own: Run = { errors: [], shown: 0 };
	run = own;
	try {
		return validate();
	} catch (error) {
		if (error instanceof ErrorLimitReached) return own.errors;
		throw error;
	} finally {
		run = outer;
	}
}

function made(type: FieldError['type'], { text: field }: FieldPath, message: string): FieldError {
	const error = { type, field, message };
	if (run && run.errors.push(error) >= MAX_ERRORS) throw new ErrorLimitReached();
	return error;
}

function show(value: unknown): string {
	const text = showValue(value, Math.max(MAX_SHOWN - (run?.shown ?? 0), ALWAYS_SHOWN));
	if (run) run.shown += text.length;
	return text;
}

/** Required: the field must be set. */
export function fieldRequired(path: FieldPath, detail = ''): FieldError {
	return made('Required', path, withDetail('Required value', detail));
}

/** Invalid: the value is malformed or out of bounds. `detail` says what it must be. */
export function fieldInvalid(path: FieldPath, value: unknown, detail: string): FieldError {
	return made('Invalid', path, withDetail(`Invalid value: ${show(value)}`, detail));
}

/** Invalid, without showing the value: upstream omits large ones. */
export function invalidUnshown(path: FieldPath, detail: string): FieldError {
	return made('Invalid', path, withDetail('Invalid value', detail));
}

/** NotSupported: the value is none of `supported`, which the message lists in the given order. */
export function notSupported(path: FieldPath, value: unknown, supported: readonly string[]): FieldError {
	const detail = supported.length === 0 ? '' : `supported values: ${supported.map(quote).join(', ')}`;
	const message = withDetail(`Unsupported value: ${show(value)}`, detail);
	return made('NotSupported', path, message);
}

/**
 * The errors of a text that must be one of `supported`: Required if it is empty, NotSupported if it is
 * another.
 */
export function chosen(
	path: FieldPath,
	value: string | undefined,
	supported: readonly string[],
): readonly FieldError[] {
	if (value === undefined || value === '') return [fieldRequired(path)];
	return supported.includes(value) ? NONE : [notSupported(path, value, supported)];
}

/** One Invalid error for each of `problems`, the results of a NameCheck. */
export function malformed(
	path: FieldPath,
	value: string,
	problems: readonly string[],
): readonly FieldError[] {
	return problems.length === 0 ? NONE : problems.map((problem) => fieldInvalid(path, value, problem));
}

/** Duplicate: the value must be unique, and occurs a second time. */
export function duplicate(path: FieldPath, value: unknown): FieldError {
	return made('Duplicate', path, `Duplicate value: ${show(value)}`);
}

/** Forbidden: the field must not be set, or not to this value. `detail` says why. */
export function fieldForbidden(path: FieldPath, detail: string): FieldError {
	return made('Forbidden', path, withDetail('Forbidden', detail));
}

/** TooLong: the text has more than `maxBytes` bytes in UTF-8. The message does not show it. */
export function tooLong(path: FieldPath, maxBytes: number): FieldError {
	return made('TooLong', path, `Too long: ${atMost(maxBytes)}`);
}

/** TooMany: the list has `count` items, and `max` are allowed. */
export function tooMany(path: FieldPath, count: number, max: number): FieldError {
	const message = `Too many: ${count}: must have at most ${max} ${max === 1 ? 'item' : 'items'}`;
	return made('TooMany', path, message);
}

/** NotFound: the field refers to something that does not exist. */
export function fieldNotFound(path: FieldPath, value: unknown, detail = ''): FieldError {
	return made('NotFound', path, withDetail(`Not found: ${show(value)}`, detail));
}

/** Invalid: the field cannot change after the object was created. `value` is the new one. */
export function immutable(path: FieldPath, value: unknown): FieldError {
	return fieldInvalid(path, value, FIELD_IMMUTABLE);
}

/** The detail of {@link immutable}. */
export const FIELD_IMMUTABLE = 'field is immutable';

/** One Invalid error if the value is negative. */
export function nonNegative(path: FieldPath, value: Int64): readonly FieldError[] {
	return value < 0 ? [fieldInvalid(path, value, 'must be greater than or equal to 0')] : NONE;
}

function withDetail(text: string, detail: string): string {
	if (detail === '') return text;
	return `${text}: ${detail.length > MAX_DETAIL_LENGTH ? `${detail.slice(0, MAX_DETAIL_LENGTH)}...` : detail}`;
}

/** Details are cut, since they can list names from the object. */
const MAX_DETAIL_LENGTH = 2000;

function atMost(maxBytes: number): string {
	return maxBytes < 0
		? 'value is too long'
		: `may not be more than ${maxBytes} byte${maxBytes === 1 ? '' : 's'}`;
}
