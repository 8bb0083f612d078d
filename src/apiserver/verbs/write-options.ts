import { invalid } from '../../api/errors/api-error.ts';
import { fieldInvalid as invalidField, notSupported, tooLong } from '../../api/errors/field-errors.ts';
import { type FieldError, FieldPath } from '../../api/errors/field-path.ts';
import type { Query } from '../query.ts';

/** Options of create, update and patch, from the query. */
export interface WriteOptions {
	/** Perform all stages but the write. */
	readonly dryRun: boolean;
	readonly fieldValidation: 'Ignore' | 'Warn' | 'Strict';
}

const MAX_FIELD_MANAGER_BYTES = 128;

/** Reads and validates the options; `kind` (`CreateOptions`, …) names them in errors. Throws Invalid. */
export function writeOptions(query: Query, kind: string): WriteOptions {
	const errors = [...fieldManagerErrors(query.text('fieldManager')), ...dryRunErrors(query.text('dryRun'))];
	const validation = query.text('fieldValidation');
	const fieldValidation = VALIDATIONS.find((value) => value === (validation || 'Warn'));
	if (!fieldValidation) {
		errors.push(notSupported(new FieldPath('fieldValidation'), validation, ['', ...VALIDATIONS]));
	}
	if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', resource: kind, name: '' }, errors);
	return { dryRun: query.text('dryRun') !== '', fieldValidation: fieldValidation ?? 'Warn' };
}

const VALIDATIONS = ['Ignore', 'Strict', 'Warn'] as const;

/** Validates a dryRun parameter: `All` is the only value. */
export function dryRunErrors(dryRun: string): readonly FieldError[] {
	if (dryRun === '' || dryRun === 'All') return [];
	return [notSupported(new FieldPath('dryRun'), [dryRun], ['All'])];
}

function fieldManagerErrors(manager: string): readonly FieldError[] {
	const path = new FieldPath('fieldManager');
	const errors: FieldError[] = [];
	if (Buffer.byteLength(manager) > MAX_FIELD_MANAGER_BYTES)
		errors.push(tooLong(path, MAX_FIELD_MANAGER_BYTES));
	// The usual names, without compiling the other expression, which takes a millisecond of a start.
	if (/^[ -~]*$/.test(manager)) return errors;
	let at = 0;
	for (const char of manager) {
		if (!/[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(char)) {
			const code = (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
			errors.push(invalidField(path, manager, `invalid character U+${code} (at position ${at})`));
		}
		at += Buffer.byteLength(char);
	}
	return errors;
}
