/**
 * The catalogue of API errors: one function per status code and reason of metav1.Status, as upstream's
 * k8s.io/apimachinery/pkg/api/errors. A caller decides by `reason` (retry, list again, report) and never by
 * the message, which is for humans; messages are upstream's, since clients print them.
 */

import type { FieldError } from './field-path.ts';

/** The reasons of metav1.Status that the API server returns. */
export type StatusReason =
	| 'Unauthorized'
	| 'Forbidden'
	| 'NotFound'
	| 'AlreadyExists'
	| 'Conflict'
	| 'Gone'
	| 'Expired'
	| 'Invalid'
	| 'Timeout'
	| 'ServerTimeout'
	| 'TooManyRequests'
	| 'BadRequest'
	| 'MethodNotAllowed'
	| 'NotAcceptable'
	| 'RequestEntityTooLarge'
	| 'UnsupportedMediaType'
	| 'InternalError'
	| 'ServiceUnavailable';

/** A cause in the details of a Status: for Invalid, one per field error. */
export interface StatusCause {
	readonly reason?: string;
	readonly message?: string;
	readonly field?: string;
}

/** metav1.Status, as the server sends it. */
export interface Status {
	readonly kind: 'Status';
	readonly apiVersion: 'v1';
	readonly metadata: { readonly resourceVersion?: string; readonly continue?: string };
	readonly status: 'Success' | 'Failure';
	readonly message?: string;
	readonly reason?: string;
	readonly details?: {
		readonly name?: string;
		readonly group?: string;
		readonly kind?: string;
		readonly uid?: string;
		readonly causes?: readonly StatusCause[];
		readonly retryAfterSeconds?: number;
	};
	readonly code?: number;
}

/** The object that an error names: by group, plural resource (or kind) and name. */
export interface Subject {
	readonly group: string;
	/** The plural resource (`jobs`) for all errors but Invalid, whose messages contain the kind (`Job`). */
	readonly resource: string;
	readonly name: string;
}

/** An error response of the API. `reason` says what the caller should do; `code` is the HTTP status. */
export class ApiError extends Error {
	override readonly name = 'ApiError';
	readonly status: Status;

	constructor(status: Status) {
		super(status.message ?? status.reason ?? 'request failed');
		this.status = status;
	}

	get code(): number {
		return this.status.code ?? 500;
	}

	get reason(): string {
		return this.status.reason ?? '';
	}
}

/** Whether `error` is an ApiError with this reason. */
export function isApiError(error: unknown, reason: StatusReason): error is ApiError {
	return error instanceof ApiError && error.reason === reason;
}

/**
 * Whether the server refused to create an object because its namespace is terminating: retrying is pointless.
 */
export function isNamespaceTerminating(error: unknown): boolean {
	if (!(error instanceof ApiError)) return false;
	return error.status.details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating') ?? false;
}

/** The HTTP status of each reason. */
const CODES: Readonly<Record<StatusReason, number>> = {
	BadRequest: 400,
	Unauthorized: 401,
	Forbidden: 403,
	NotFound: 404,
	MethodNotAllowed: 405,
	NotAcceptable: 406,
	AlreadyExists: 409,
	Conflict: 409,
	Gone: 410,
	Expired: 410,
	RequestEntityTooLarge: 413,
	UnsupportedMediaType: 415,
	Invalid: 422,
	TooManyRequests: 429,
	InternalError: 500,
	ServerTimeout: 500,
	ServiceUnavailable: 503,
	Timeout: 504,
};

/**
 * The length of the longest message. Upstream has no limit, but messages repeat what a request says, and to send
 * megabytes of it back would hold the server.
 */
const LONGEST_MESSAGE = 100_000;

function shortened(message: string): string {
	if (message.length <= LONGEST_MESSAGE) return message;
	return `${message.slice(0, LONGEST_MESSAGE)}... (${message.length - LONGEST_MESSAGE} more characters)`;
}

function failure(reason: StatusReason, message: string, details?: Status['details']): ApiError {
	return new ApiError({
		kind: 'Status',
		apiVersion: 'v1',
		metadata: {},
		status: 'Failure',
		message: shortened(message),
		reason,
		...(details && { details }),
		code: CODES[reason],
	});
}

function qualified(subject: { readonly group: string; readonly resource: string }): string {
	return subject.group === '' ? subject.resource : `${subject.resource}.${subject.group}`;
}

function detailsOf(subject: Subject): Status['details'] {
	const { name, group, resource } = subject;
	return { ...(name && { name }), ...(group && { group }), kind: resource };
}

/** 404: the object does not exist. */
export function notFound(subject: Subject): ApiError {
	return failure('NotFound', `${qualified(subject)} "${subject.name}" not found`, detailsOf(subject));
}

/** 404: the path names no resource of this server. */
export function unknownPath(): ApiError {
	return failure('NotFound', 'the server could not find the requested resource', {});
}

/** 409: an object of this name exists. */
export function alreadyExists(subject: Subject): ApiError {
	return failure(
		'AlreadyExists',
		`${qualified(subject)} "${subject.name}" already exists`,
		detailsOf(subject),
	);
}

/** 409 when eight generated names in a row were taken. Clients may retry after a second. */
export function noFreeName(resource: string, name: string): ApiError {
	const message = `${resource} "${name}" already exists, the server was not able to generate a unique name for the object`;
	return failure('AlreadyExists', message, { name, kind: resource, retryAfterSeconds: 1 });
}

/**
 * 409: the object has changed since the caller read it, or its present state forbids the change, as `detail`
 * says.
 */
export function conflict(subject: Subject, detail: string): ApiError {
	const message = `Operation cannot be fulfilled on ${qualified(subject)} "${subject.name}": ${detail}`;
	return failure('Conflict', message, detailsOf(subject));
}

/**
 * The detail of a conflict in which the caller's resourceVersion is older than the stored one: read again and
 * retry.
 */
export const STALE_OBJECT =
	'the object has been modified; please apply your changes to the latest version and try again';

const CAUSE_REASONS: Readonly<Record<FieldError['type'], string>> = {
	Required: 'FieldValueRequired',
	Invalid: 'FieldValueInvalid',
	NotSupported: 'FieldValueNotSupported',
	Forbidden: 'FieldValueForbidden',
	Duplicate: 'FieldValueDuplicate',
	TooLong: 'FieldValueTooLong',
	TooMany: 'FieldValueTooMany',
	NotFound: 'FieldValueNotFound',
};

/**
 * 422: the object has invalid fields. `subject.resource` must be the kind here. Equal texts occur once in the
 * message.
 */
export function invalid(subject: Subject, errors: readonly FieldError[]): ApiError {
	const texts = [...new Set(errors.map((error) => `${error.field}: ${error.message}`))];
	const summary = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
	const message = `${qualified(subject)} "${subject.name}" is invalid: ${summary}`;
	const causes = errors.map((error) => ({
		reason: CAUSE_REASONS[error.type],
		message: error.message,
		field: error.field,
	}));
	return failure('Invalid', message, { ...detailsOf(subject), causes });
}

/**
 * 422: the patch cannot be applied. Upstream does not send `detail`; here it is the cause, which kubectl
 * prints, so that the user learns which operation failed.
 */
export function inapplicablePatch(detail: string): ApiError {
	const message = 'the server rejected our request due to an error in our request';
	return failure('Invalid', message, {
		causes: [{ reason: 'UnexpectedServerResponse', message: cut(detail), field: 'patch' }],
	});
}

/** Limits the length of a detail: it can quote a value of the client, which can have megabytes. */
function cut(detail: string): string {
	return detail.length <= MAX_DETAIL_LENGTH ? detail : `${detail.slice(0, MAX_DETAIL_LENGTH)}...`;
}

const MAX_DETAIL_LENGTH = 2000;

/** 400: the request is malformed. */
export function badRequest(message: string): ApiError {
	return failure('BadRequest', message);
}

/** 401: the request has no valid credentials. */
export function unauthorized(): ApiError {
	return failure('Unauthorized', 'Unauthorized');
}

/** 403: the request is not allowed, for the reason in `detail`. The subject of a collection has no name. */
export function forbidden(subject: Subject, detail: string): ApiError {
	const named = subject.name === '' ? '' : ` "${subject.name}"`;
	const message = `${qualified(subject)}${named} is forbidden: ${detail}`;
	return failure('Forbidden', message, detailsOf(subject));
}

/** 403 for a request that is rejected regardless of what it asks for. */
export function forbiddenRequest(why: string): ApiError {
	return failure('Forbidden', `forbidden: ${why}`);
}

/** 405: the resource does not support the verb. */
export function methodNotAllowed(): ApiError {
	return failure('MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
}

/** 406: the client accepts none of the media types in `offered`. */
export function notAcceptable(offered: readonly string[]): ApiError {
	return failure('NotAcceptable', `only the following media types are accepted: ${offered.join(', ')}`);
}

/** 406: the response has no representation of the form that the client accepts, as `message` says. */
export function notAcceptableForm(message: string): ApiError {
	return failure('NotAcceptable', message);
}

/** 410: the requested resourceVersion or continue token has been compacted. The client must list again. */
export function expired(message: string): ApiError {
	return failure('Expired', message);
}

/** 413: the request exceeds a limit, which `detail` names: `limit is 3145728`. */
export function tooLarge(detail: string): ApiError {
	return failure('RequestEntityTooLarge', `Request entity too large: ${detail}`);
}

/** 415: the server cannot decode the content type of the body. */
export function unsupportedMediaType(offered: readonly string[]): ApiError {
	const message = `the body of the request was in an unknown format - accepted media types include: ${offered.join(', ')}`;
	return failure('UnsupportedMediaType', message);
}

/** 500: a fault of the server. The client receives `message`, so it must contain no secrets. */
export function internalError(message: string): ApiError {
	return failure('InternalError', `Internal error occurred: ${message}`, {
		causes: [{ message }],
	});
}

/** 429: the client must repeat the request later, after `retryAfterSeconds` if that is not 0. */
export function tooManyRequests(message: string, retryAfterSeconds: number): ApiError {
	return failure('TooManyRequests', message, retryAfterSeconds > 0 ? { retryAfterSeconds } : {});
}

/** `error` with a further cause in its details. */
export function withCause({ status }: ApiError, cause: StatusCause): ApiError {
	const causes = [...(status.details?.causes ?? []), cause];
	return new ApiError({ ...status, details: { ...status.details, causes } });
}

/**
 * 503: the server cannot serve the request now (it is starting or stopping, or its store fails). The client may
 * retry, after `retryAfterSeconds` if they are given.
 */
export function serviceUnavailable(message: string, retryAfterSeconds?: number): ApiError {
	return failure('ServiceUnavailable', message, retryAfterSeconds ? { retryAfterSeconds } : undefined);
}

/** 504: the server did not reach in time what the request needs. The client may retry. */
export function timedOut(message: string): ApiError {
	return failure('Timeout', `Timeout: ${message}`);
}

/**
 * 504 for a resourceVersion later than the server's. Clients wait a second and retry without a
 * resourceVersion.
 */
export function tooLargeRevision(asked: number, current: number): ApiError {
	const message = `Timeout: Too large resource version: ${asked}, current: ${current}`;
	return failure('Timeout', message, {
		causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
		retryAfterSeconds: 1,
	});
}
