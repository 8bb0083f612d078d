import type { FieldError } from './field-path.ts';

/**
 * The catalogue of API errors: one function per status code and reason of metav1.Status, as upstream's
 * k8s.io/apimachinery/pkg/api/errors. A caller decides by `reason` (retry, list again, report) and never by
 * the message, which is for humans; messages are upstream's, since clients print them.
 */

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

/** The message of any thrown value, for Events and logs. */
export function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

function failure(code: number, reason: StatusReason, message: string, details?: Status['details']): ApiError {
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

function qualified(subject: { readonly group: string; readonly resource: string }): string {
	return subject.group === '' ? subject.resource : `${subject.resource}.${subject.group}`;
}

function detailsOf(subject: Subject): Status['details'] {
	const { name, group, resource } = subject;
	return { ...(name && { name }), ...(group && { group }), kind: resource };
}

/** 404: the object does not exist. */
export function notFound(subject: Subject): ApiError {
	return failure(404, 'NotFound', `${qualified(subject)} "${subject.name}" not found`, detailsOf(subject));
}

/** 404: the path names no resource of this server. */
export function unknownPath(): ApiError {
	return failure(404, 'NotFound', 'the server could not find the requested resource', {});
}

/** 409: an object of this name exists. */
export function alreadyExists(subject: Subject): ApiError {
	return failure(
		409,
		'AlreadyExists',
		`${qualified(subject)} "${subject.name}" already exists`,
		detailsOf(subject),
	);
}

/**
 * 409: the object has changed since the caller read it, or its present state forbids the change, as `detail`
 * says.
 */
export function conflict(subject: Subject, detail: string): ApiError {
	const message = `Operation cannot be fulfilled on ${qualified(subject)} "${subject.name}": ${detail}`;
	return failure(409, 'Conflict', message, detailsOf(subject));
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
	TypeInvalid: 'FieldValueTypeInvalid',
	Internal: 'InternalError',
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
	return failure(422, 'Invalid', message, { ...detailsOf(subject), causes });
}

/**
 * 422: the patch cannot be applied. Upstream does not send `detail`; here it is the cause, which kubectl
 * prints, so that the user learns which operation failed.
 */
export function inapplicablePatch(detail: string): ApiError {
	const message = 'the server rejected our request due to an error in our request';
	return failure(422, 'Invalid', message, {
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
	return failure(400, 'BadRequest', message);
}

/** 401: the request has no valid credentials. */
export function unauthorized(): ApiError {
	return failure(401, 'Unauthorized', 'Unauthorized');
}

/** 403: the request is not allowed, for the reason in `detail`. The subject of a collection has no name. */
export function forbidden(subject: Subject, detail: string): ApiError {
	const named = subject.name === '' ? '' : ` "${subject.name}"`;
	const message = `${qualified(subject)}${named} is forbidden: ${detail}`;
	return failure(403, 'Forbidden', message, detailsOf(subject));
}

/** 405: the resource does not support the verb. */
export function methodNotAllowed(): ApiError {
	return failure(
		405,
		'MethodNotAllowed',
		'the server does not allow this method on the requested resource',
		{},
	);
}

/** 406: the client accepts none of the media types in `offered`. */
export function notAcceptable(offered: readonly string[]): ApiError {
	return failure(406, 'NotAcceptable', `only the following media types are accepted: ${offered.join(', ')}`);
}

/** 406: the response has no representation of the form that the client accepts, as `message` says. */
export function notAcceptableForm(message: string): ApiError {
	return failure(406, 'NotAcceptable', message);
}

/** 410: the requested resourceVersion or continue token has been compacted. The client must list again. */
export function expired(message: string): ApiError {
	return failure(410, 'Expired', message);
}

/** 413: the request exceeds a limit, which `detail` names: `limit is 3145728`. */
export function tooLarge(detail: string): ApiError {
	return failure(413, 'RequestEntityTooLarge', `Request entity too large: ${detail}`);
}

/** 415: the server cannot decode the content type of the body. */
export function unsupportedMediaType(offered: readonly string[]): ApiError {
	const message = `the body of the request was in an unknown format - accepted media types include: ${offered.join(', ')}`;
	return failure(415, 'UnsupportedMediaType', message);
}

/** 429: too many concurrent requests. The client should retry after `retryAfterSeconds`. */
export function tooManyRequests(message: string, retryAfterSeconds: number): ApiError {
	return failure(429, 'TooManyRequests', message, { retryAfterSeconds });
}

/** 500: a fault of the server. The client receives `message`, so it must contain no secrets. */
export function internalError(message: string): ApiError {
	return failure(500, 'InternalError', `Internal error occurred: ${message}`, {
		causes: [{ message }],
	});
}

/** 503: the server cannot serve the request now (it is starting or stopping). The client may retry. */
export function serviceUnavailable(message: string): ApiError {
	return failure(503, 'ServiceUnavailable', message);
}
