import {
	ApiError,
	expired,
	internalError,
	type Status,
	serviceUnavailable,
	timedOut,
} from '../api/errors/api-error.ts';
import { CompactedError, FutureRevisionError, StoreUnavailableError } from '../store/store.ts';

/**
 * The error that a client receives. Known errors of the store become API errors. Any other error is a fault
 * of the server: it is passed to `onFault` for the log, and the client receives a 500 without details.
 */
export function apiErrorOf(error: unknown, onFault: (error: unknown) => void): ApiError {
	if (error instanceof ApiError) return error;
	if (error instanceof StoreUnavailableError) return serviceUnavailable(error.message, 1);
	if (error instanceof CompactedError)
		return expired('The resourceVersion for the provided list is too old.');
	if (error instanceof FutureRevisionError) return timedOut(error.message);
	onFault(error);
	return internalError("an unexpected error occurred in the server; see the server's log");
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

/** 503 after the store has ended its watch: the cache is no longer updated. */
export function storeLost(): ApiError {
	return serviceUnavailable('the server no longer receives changes from its store');
}
