/**
 * Validation of the files that a volume makes of API objects: their paths, permission bits and contents. Volumes of
 * one source and projected volumes of several share these rules.
 */

import { fieldInvalid, fieldRequired } from '../../../../errors/field-errors.ts';
import type { FieldError, FieldPath } from '../../../../errors/field-path.ts';
import type { Volume } from '../../schema/volume.ts';
import { FILE_FIELDS, validateFieldRef, validateResourceFieldRef } from '../env.ts';
import { validateFileInVolume } from '../path.ts';

type KeyToPath = NonNullable<NonNullable<Volume['secret']>['items']>[number];

const MODE_DETAIL = 'must be a number between 0 and 0777 (octal), both inclusive';

/** The errors of permission bits, which are optional. */
export function validateMode(mode: number | undefined, path: FieldPath): readonly FieldError[] {
	return mode === undefined || (mode >= 0 && mode <= 0o777) ? [] : [fieldInvalid(path, mode, MODE_DETAIL)];
}

/**
 * The errors of the items of a ConfigMap or Secret (upstream: `validateKeyToPath`). Duplicate paths are refused only in
 * projected volumes.
 */
export function validateItems(items: readonly KeyToPath[], path: FieldPath): readonly FieldError[] {
	return items.flatMap(({ key, path: file, mode }, index) => {
		const at = path.index(index);
		return [
			...(key === '' ? [fieldRequired(at.child('key'))] : []),
			...(file === '' ? [fieldRequired(at.child('path'))] : []),
			...validateFileInVolume(file, at.child('path')),
			...validateMode(mode, at.child('mode')),
		];
	});
}

type DownwardFile = NonNullable<NonNullable<Volume['downwardAPI']>['items']>[number];

/** The errors of a file with a field of the Pod, at `path` (upstream: `validateDownwardAPIVolumeFile`). */
export function validateDownwardFile(file: DownwardFile, path: FieldPath): readonly FieldError[] {
	const { fieldRef, resourceFieldRef } = file;
	const errors: FieldError[] = [];
	if (file.path === '') errors.push(fieldRequired(path.child('path')));
	errors.push(...validateFileInVolume(file.path, path.child('path')));
	if (fieldRef) {
		errors.push(...validateFieldRef(fieldRef, FILE_FIELDS, path.child('fieldRef')));
		if (resourceFieldRef) {
			const detail = 'fieldRef and resourceFieldRef can not be specified simultaneously';
			errors.push(fieldInvalid(path, 'resource', detail));
		}
	} else if (resourceFieldRef) {
		errors.push(...validateResourceFieldRef(resourceFieldRef, 'file', path.child('resourceFieldRef')));
	} else {
		errors.push(fieldRequired(path, 'one of fieldRef and resourceFieldRef is required'));
	}
	return [...errors, ...validateMode(file.mode, path.child('mode'))];
}
