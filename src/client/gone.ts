import { ApiError, isApiError } from '../api/meta/api-error.ts';

/**
 * Whether a deletion or binding that named the UID of its object, or a patch that did, was refused because that
 * object is not there any more: it was deleted, or another one has its name by now.
 */
export function isGone(error: unknown): boolean {
	return isApiError(error, 'Conflict') || isPatchedGone(error);
}

/**
 * The same of a patch alone. That it names another object's `metadata.uid` is refused as Invalid; a Conflict says
 * that the object was changed at the same time.
 */
export function isPatchedGone(error: unknown): boolean {
	if (isApiError(error, 'NotFound')) return true;
	if (!(error instanceof ApiError) || error.reason !== 'Invalid') return false;
	return error.status.details?.causes?.some(({ field }) => field === 'metadata.uid') ?? false;
}
