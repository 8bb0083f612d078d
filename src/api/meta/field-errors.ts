import type { Int64 } from '../../base/json.ts';
import { quote } from '../../base/quote.ts';
import type { FieldError, FieldPath } from './field.ts';
import { showValue } from './show-value.ts';

/**
 * The errors that validation reports, in upstream's forms. A field's value is part of the text where
 * upstream shows it, so never pass a secret as `value`.
 *
 * An object of 3 MB can break 100,000 rules, and each error can show a value of 3 MB. So a validation ends
 * with its {@link MAX_ERRORS}th error, and shows no more than {@link MAX_SHOWN} characters of values, but of
 * each at least {@link ALWAYS_SHOWN}.
 */

const NONE: readonly FieldError[] = Object.freeze([]);

/** After so many errors a validation ends. Upstream has no limit. */
export const MAX_ERRORS = 1000;

const MAX_SHOWN = 128 * 1024;
const ALWAYS_SHOWN = 1000;

/** The validation that is running: its errors in the order in which they were made, and what they show. */
interface Run {
	readonly errors: FieldError[];
	shown: number;
}

let run: Run | undefined;

/** Ends the validation that is running: it has found {@link MAX_ERRORS} errors. */
class ErrorLimitReached extends Error {
	override readonly name = 'ErrorLimitReached';
}

/**
 * What `validate` returns; if it would be more than {@link MAX_ERRORS} errors, the first of them, and the
 * rest of the object is not looked at. (Every error that a validation makes means that the object is
 * refused, so none is counted in vain.)
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

/** The field must be set. */
export function required(path: FieldPath, detail = ''): FieldError {
	return made('Required', path, withDetail('Required value', detail));
}

/** The field's value is malformed or out of bounds; `detail` says what it must be. */
export function invalid(path: FieldPath, value: unknown, detail: string): FieldError {
	return made('Invalid', path, withDetail(`Invalid value: ${show(value)}`, detail));
}

/** The field's value is not acceptable, and it is too large or too far away to be shown. */
export function invalidUnshown(path: FieldPath, detail: string): FieldError {
	return made('Invalid', path, withDetail('Invalid value', detail));
}

/** The field's value has the wrong type. */
export function typeInvalid(path: FieldPath, value: unknown, detail: string): FieldError {
	const message = withDetail(`Invalid value: ${show(value)}`, detail);
	return made('TypeInvalid', path, message);
}

/** The field's value is none of `supported`, which are named in the order given. */
export function notSupported(path: FieldPath, value: unknown, supported: readonly string[]): FieldError {
	const detail = supported.length === 0 ? '' : `supported values: ${supported.map(quote).join(', ')}`;
	const message = withDetail(`Unsupported value: ${show(value)}`, detail);
	return made('NotSupported', path, message);
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
	return made('Duplicate', path, `Duplicate value: ${show(value)}`);
}

/** The field may not be set here, or not to this; `detail` says why. */
export function forbidden(path: FieldPath, detail: string): FieldError {
	return made('Forbidden', path, withDetail('Forbidden', detail));
}

/** The text is longer than `maxBytes` bytes in UTF-8; its value is not shown. */
export function tooLong(path: FieldPath, maxBytes: number): FieldError {
	return made('TooLong', path, `Too long: ${atMost(maxBytes, 'byte')}`);
}

/** The text is longer than `maxCharacters` characters; its value is not shown. */
export function tooLongCharacters(path: FieldPath, maxCharacters: number): FieldError {
	return made('TooLong', path, `Too long: ${atMost(maxCharacters, 'character')}`);
}

/** The list has `count` items where `max` are allowed. */
export function tooMany(path: FieldPath, count: number, max: number): FieldError {
	const message = `Too many: ${count}: must have at most ${max} ${max === 1 ? 'item' : 'items'}`;
	return made('TooMany', path, message);
}

/** The field names something that does not exist. */
export function notFound(path: FieldPath, value: unknown, detail = ''): FieldError {
	return made('NotFound', path, withDetail(`Not found: ${show(value)}`, detail));
}

/** Something of ours failed while the field was looked at. */
export function internal(path: FieldPath, detail: string): FieldError {
	return made('Internal', path, withDetail('Internal error', detail));
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
	if (detail === '') return text;
	return `${text}: ${detail.length > MAX_DETAIL_LENGTH ? `${detail.slice(0, MAX_DETAIL_LENGTH)}...` : detail}`;
}

/** A detail can list names that the object holds. */
const MAX_DETAIL_LENGTH = 2000;

function atMost(max: number, unit: string): string {
	return max < 0 ? 'value is too long' : `may not be more than ${max} ${unit}${max === 1 ? '' : 's'}`;
}
