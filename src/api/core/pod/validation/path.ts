/**
 * Validation of paths that must stay below a base directory, since the node joins them to it. Each function
 * returns the errors of `path`, reported at the field `at`.
 */

import { fieldInvalid } from '../../../errors/field-errors.ts';
import type { FieldError, FieldPath } from '../../../errors/field-path.ts';

/** Requires that no element of the path is `..` (upstream: `validatePathNoBacksteps`). */
export function validateNoBacksteps(path: string, at: FieldPath): readonly FieldError[] {
	return path.split('/').includes('..') ? [fieldInvalid(at, path, "must not contain '..'")] : [];
}

/** Requires a relative path without `..` (upstream: `validateLocalDescendingPath`). */
export function validateDescendingPath(path: string, at: FieldPath): readonly FieldError[] {
	const absolute = path.startsWith('/') ? [fieldInvalid(at, path, 'must be a relative path')] : [];
	return [...absolute, ...validateNoBacksteps(path, at)];
}

/**
 * Requires a relative path without `..` whose first element does not begin with two dots: the node's atomic
 * writer of volumes uses such names for its own directories (upstream: `validateLocalNonReservedPath`).
 */
export function validateFileInVolume(path: string, at: FieldPath): readonly FieldError[] {
	const reserved = path.startsWith('..') && path !== '..' && !path.startsWith('../');
	return [
		...validateDescendingPath(path, at),
		...(reserved ? [fieldInvalid(at, path, "must not start with '..'")] : []),
	];
}
