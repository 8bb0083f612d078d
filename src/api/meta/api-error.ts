import type { FieldError } from './field.ts';

/** The reasons of metav1.Status that stint answers with. */
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

/** One cause in the details of a Status. */
export interface StatusCause {
	readonly reason?: string;
	readonly message?: string;
	readonly field?: string;
}

/** metav1.Status, as sent. */
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

/** What a request is about, in the words of an error: group and plural resource (or kind), and the name. */
export interface Subject {
	readonly group: string;
	/** The plural resource (`jobs`), which NotFound and Conflict name; Invalid names the kind (`Job`). */
	readonly resource: string;
	readonly name: string;
}

/** An error that the API answers with: the caller reads `reason` to know what to do. */
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

/** Whether an object was refused because its namespace is going away. */
export function isNamespaceTerminating(error: unknown): boolean {
	if (!(error instanceof ApiError)) return false;
	return error.status.details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating') ?? false;
}

/** What an error says, for an Event. */
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

/** 404: the object is not there. */
export function notFound(subject: Subject): ApiError {
	return failure(404, 'NotFound', `${qualified(subject)} "${subject.name}" not found`, detailsOf(subject));
}

/** 404 for a path that names no resource. */
export function unknownPath(): ApiError {
	return failure(404, 'NotFound', 'the server could not find the requested resource', {});
}

/** 409: the name is taken. */
export function alreadyExists(subject: Subject): ApiError {
	return failure(
		409,
		'AlreadyExists',
		`${qualified(subject)} "${subject.name}" already exists`,
		detailsOf(subject),
	);
}

/** 409: the object changed meanwhile, or `detail` forbids the change now. */
export function conflict(subject: Subject, detail: string): ApiError {
	const message = `Operation cannot be fulfilled on ${qualified(subject)} "${subject.name}": ${detail}`;
	return failure(409, 'Conflict', message, detailsOf(subject));
}

/** The detail of a conflict in which the caller wrote from an older version than the stored one. */
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

/** 422: fields of the object are not acceptable. `subject.resource` is the kind here. */
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
 * 422 for a patch that cannot be applied. Upstream keeps `detail` to itself; here it is the cause, which
 * kubectl shows.
 */
export function inapplicablePatch(detail: string): ApiError {
	const message = 'the server rejected our request due to an error in our request';
	return failure(422, 'Invalid', message, {
		causes: [{ reason: 'UnexpectedServerResponse', message: cut(detail), field: 'patch' }],
	});
}

/** A detail can quote what the client sent, which can be megabytes. */
function cut(detail: string): string {
	return detail.length <= MAX_DETAIL_LENGTH ? detail : `${detail.slice(0, MAX_DETAIL_LENGTH)}...`;
}

const MAX_DETAIL_LENGTH = 2000;

/** 400: the request cannot be understood. */
export function badRequest(message: string): ApiError {
	return failure(400, 'BadRequest', message);
}

/** 401: who is asking is not known. */
export function unauthorized(): ApiError {
	return failure(401, 'Unauthorized', 'Unauthorized');
}

/** 403: `detail` says what is not allowed. */
export function forbidden(subject: Subject, detail: string): ApiError {
	const message = `${qualified(subject)} "${subject.name}" is forbidden: ${detail}`;
	return failure(403, 'Forbidden', message, detailsOf(subject));
}

/** 405: the resource has no such verb. */
export function methodNotAllowed(): ApiError {
	return failure(
		405,
		'MethodNotAllowed',
		'the server does not allow this method on the requested resource',
		{},
	);
}

/** 406: no answer in a form that the caller accepts. */
export function notAcceptable(offered: readonly string[]): ApiError {
	return failure(406, 'NotAcceptable', `only the following media types are accepted: ${offered.join(', ')}`);
}

/** 406: the answer has not the form that the caller accepts. */
export function notAcceptableForm(message: string): ApiError {
	return failure(406, 'NotAcceptable', message);
}

/** 410: the resource version asked for is no longer kept; list again. */
export function expired(message: string): ApiError {
	return failure(410, 'Expired', message);
}

/** 413: the request holds more than is accepted; `detail` says what: `limit is 3145728`. */
export function tooLarge(detail: string): ApiError {
	return failure(413, 'RequestEntityTooLarge', `Request entity too large: ${detail}`);
}

/** 415: the body's content type cannot be read. */
export function unsupportedMediaType(offered: readonly string[]): ApiError {
	const message = `the body of the request was in an unknown format - accepted media types include: ${offered.join(', ')}`;
	return failure(415, 'UnsupportedMediaType', message);
}

/** 429: too many at once; try again after `retryAfterSeconds`. */
export function tooManyRequests(message: string, retryAfterSeconds: number): ApiError {
	return failure(429, 'TooManyRequests', message, { retryAfterSeconds });
}

/** 500: a fault of ours; `message` must not hold secrets. */
export function internalError(message: string): ApiError {
	return failure(500, 'InternalError', `Internal error occurred: ${message}`, {
		causes: [{ message }],
	});
}

/** 503: not now. */
export function serviceUnavailable(message: string): ApiError {
	return failure(503, 'ServiceUnavailable', message);
}
