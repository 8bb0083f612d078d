import { ApiError, expired, internalError, type Status } from '../api/errors/api-error.ts';
import { CompactedError, FutureRevisionError, StoreUnavailableError } from '../store/store.ts';

/**
 * The error that a client receives. Known errors of the store become API errors. Any other error is a fault
 * of the server: it is passed to `onFault` for the log, and the client receives a 500 without details.
 */
export function apiErrorOf(error: unknown, onFault: (error: unknown) => void): ApiError {
	if (error instanceof ApiError) return error;
	if (error instanceof StoreUnavailableError) return storeUnavailable(error.message);
	if (error instanceof CompactedError)
		return expired('The resourceVersion for the provided list is too old.');
	if (error instanceof FutureRevisionError) return statusError(504, 'Timeout', `Timeout: ${error.message}`);
	onFault(error);
	return internalError("an unexpected error occurred in the server; see the server's log");
}

/**
 * 504 for a resourceVersion later than the server's. Clients wait a second and retry without a
 * resourceVersion.
 */
export function tooLargeRevision(asked: number, current: number): ApiError {
	const message = `Timeout: Too large resource version: ${asked}, current: ${current}`;
	return statusError(504, 'Timeout', message, {
		causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
		retryAfterSeconds: 1,
	});
}

/** 403 for a request that is rejected regardless of what it asks for. */
export function refused(why: string): ApiError {
	return statusError(403, 'Forbidden', `forbidden: ${why}`);
}

/** 409 when eight generated names in a row were taken. Clients may retry after a second. */
export function noFreeName(resource: string, name: string): ApiError {
	const message = `${resource} "${name}" already exists, the server was not able to generate a unique name for the object`;
	return statusError(409, 'AlreadyExists', message, { name, kind: resource, retryAfterSeconds: 1 });
}

/** The same error with another message or metadata, and causes added to its details. */
export function reworded(
	error: ApiError,
	change: {
		readonly message?: string;
		readonly causes?: NonNullable<Status['details']>['causes'];
		readonly metadata?: Status['metadata'];
	},
): ApiError {
	const { status } = error;
	return new ApiError({
		...status,
		...(change.message !== undefined && { message: change.message }),
		...(change.metadata && { metadata: change.metadata }),
		...(change.causes && { details: { ...status.details, causes: change.causes } }),
	});
}

/** Seconds that the client should wait before it retries, if the error has them. */
export function retryAfterSeconds(error: ApiError): number | undefined {
	return error.status.details?.retryAfterSeconds;
}

function storeUnavailable(message: string): ApiError {
	return statusError(503, 'ServiceUnavailable', message, { retryAfterSeconds: 1 });
}

function statusError(code: number, reason: string, message: string, details?: Status['details']): ApiError {
	return new ApiError({
		kind: 'Status',
		apiVersion: 'v1',
		metadata: {},
		status: 'Failure',
		message,
		reason,
		...(details && { details }),
		code,
	});
}
