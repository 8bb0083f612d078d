import { ApiError, isApiError } from '../api/meta/api-error.ts';

/**
 * Whether a write that named the UID of its object was refused because that object is not there any more:
 * it was deleted, or another one has its name by now. A patch of another object's `metadata.uid` is refused
 * as Invalid, a deletion or binding with another UID as a Conflict.
 */
export function isGone(error: unknown): boolean {
	if (isApiError(error, 'NotFound') || isApiError(error, 'Conflict')) return true;
	if (!(error instanceof ApiError) || error.reason !== 'Invalid') return false;
	return error.status.details?.causes?.some(({ field }) => field === 'metadata.uid') ?? false;
}
