import type { FieldError, FieldPath } from '../../meta/field.ts';
import { invalid } from '../../meta/field-errors.ts';

/** What is wrong with paths that must stay below another one. */

/** No step upward. */
export function validateNoBacksteps(path: string, at: FieldPath): readonly FieldError[] {
	return path.split('/').includes('..') ? [invalid(at, path, "must not contain '..'")] : [];
}

/** Relative, and no step upward. */
export function validateDescendingPath(path: string, at: FieldPath): readonly FieldError[] {
	const absolute = path.startsWith('/') ? [invalid(at, path, 'must be a relative path')] : [];
	return [...absolute, ...validateNoBacksteps(path, at)];
}

/** Relative, no step upward, and none of the names beginning with two dots that volumes use themselves. */
export function validateFileInVolume(path: string, at: FieldPath): readonly FieldError[] {
	const reserved = path.startsWith('..') && path !== '..' && !path.startsWith('../');
	return [
		...validateDescendingPath(path, at),
		...(reserved ? [invalid(at, path, "must not start with '..'")] : []),
	];
}
