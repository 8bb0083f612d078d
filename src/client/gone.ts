import { ApiError, isApiError } from '../api/errors/api-error.ts';

/**
 * Whether the server refused a delete, binding or patch request that named the UID of its object because that
 * object no longer exists: it was deleted, and another object may have its name.
 */
export function isGone(error: unknown): boolean {
	return isApiError(error, 'Conflict') || isPatchedGone(error);
}

/**
 * As {@link isGone}, for patch requests only. The server refuses a patch with another `metadata.uid` as Invalid;
 * a Conflict only means that the object was changed at the same time.
 */
export function isPatchedGone(error: unknown): boolean {
	if (isApiError(error, 'NotFound')) return true;
	if (!(error instanceof ApiError) || error.reason !== 'Invalid') return false;
	return error.status.details?.causes?.some(({ field }) => field === 'metadata.uid') ?? false;
}
