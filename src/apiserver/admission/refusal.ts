import { type ApiError, forbidden } from '../../api/errors/api-error.ts';
import { subjectOf } from '../storage/compare-and-swap.ts';
import type { AdmissionAttributes } from './admission.ts';

/** The error of a plugin that refuses the object (upstream: NewForbidden in admission). */
export function refusedByAdmission(attributes: AdmissionAttributes, reason: string): ApiError {
	return forbidden(subjectOf(attributes.definition, nameForMessages(attributes)), reason);
}

/** The name for messages about an object, which may have none yet. */
export function nameForMessages({ name, object }: AdmissionAttributes): string {
	return name || object?.metadata.generateName || 'Unknown';
}
