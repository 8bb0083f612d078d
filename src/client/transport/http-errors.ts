import { ApiError, type Status } from '../../api/errors/api-error.ts';
import { isRecord } from '../../base/json/json.ts';

/**
 * The error for a response with the HTTP status `code`. If the body is a metav1.Status, it is that one.
 * Otherwise (a proxy has answered, or the server crashed) it is derived from the code and the body's text, as
 * client-go does with apimachinery's NewGenericServerResponse.
 */
export function errorOfAnswer(
	code: number,
	body: unknown,
	request: { method: string; path: string },
): ApiError {
	if (isStatus(body)) return new ApiError(body);
	const text = typeof body === 'string' ? body.trim().slice(0, MAX_QUOTED_LENGTH) : '';
	const known = BY_CODE[code] ?? (code >= 500 ? BY_CODE[500] : undefined);
	const reason = known?.reason ?? 'Unknown';
	const message =
		known?.message ??
		`an error on the server (${JSON.stringify(text || 'unknown')}) has prevented the request from succeeding (${request.method.toLowerCase()} ${request.path})`;
	return new ApiError({ ...FAILURE, message, reason, code });
}

/** Whether `value` is a metav1.Status. */
export function isStatus(value: unknown): value is Status {
	return isRecord(value) && value.kind === 'Status' && typeof value.status === 'string';
}

const FAILURE = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure' } as const;

const MAX_QUOTED_LENGTH = 2048;

/** The reason of each HTTP status code, and the message that replaces the body's text if that would not help. */
const BY_CODE: Readonly<Record<number, { readonly reason: string; readonly message?: string }>> = {
	400: { reason: 'BadRequest' },
	401: {
		reason: 'Unauthorized',
		message: 'the server has asked for the client to provide credentials',
	},
	403: { reason: 'Forbidden' },
	404: { reason: 'NotFound', message: 'the server could not find the requested resource' },
	405: {
		reason: 'MethodNotAllowed',
		message: 'the server does not allow this method on the requested resource',
	},
	409: { reason: 'Conflict' },
	410: { reason: 'Expired' },
	413: { reason: 'RequestEntityTooLarge' },
	415: { reason: 'UnsupportedMediaType' },
	429: { reason: 'TooManyRequests' },
	500: { reason: 'InternalError' },
	503: { reason: 'ServiceUnavailable' },
	504: { reason: 'Timeout' },
};
