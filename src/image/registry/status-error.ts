import { attempt } from '../../base/attempt.ts';
import { isList, isRecord, own } from '../../base/json/json.ts';
import { readJson } from '../../base/json/json-reader.ts';
import type { RegistryAnswer } from './http/http-client.ts';
import { withoutSecrets } from './http/secrets-of.ts';
import { RegistryError, type RegistryErrorKind, shownUrl } from './registry-error.ts';

/** As much of an error's body as containerd reads. */
const MAX_BODY_BYTES = 64_000;
const MAX_ERRORS = 10;
const MAX_MESSAGE_LENGTH = 1024;

/** The error for an answer with a status that is no success, with what the registry says about it. Reads the body. */
export async function statusError(answer: RegistryAnswer, nowMs: number): Promise<RegistryError> {
	const { request, status, statusText } = answer;
	const body = await answer.read(MAX_BODY_BYTES).catch(() => undefined);
	const own = `unexpected status from ${request.method} request to ${shownUrl(request.url)}: ${statusText}`;
	const retryAfterMs = retryAfter(answer, nowMs);
	// What Go's server answers to plain HTTP on a port with TLS.
	const wantsTls = status === 400 && body?.includes('HTTP request to an HTTPS server');
	const told = messagesIn(body).map((text) => withoutSecrets(text, request));
	return new RegistryError([own, ...told].join('\n'), {
		kind: kindOf(status),
		status,
		...(wantsTls && {
			hint: `${request.url.host} speaks HTTPS: name it with https:// as an endpoint of its own mirror.`,
		}),
		...(retryAfterMs !== undefined && { retryAfterMs }),
	});
}

function kindOf(status: number): RegistryErrorKind {
	if (status === 401 || status === 403) return 'denied';
	if (status === 404) return 'not-found';
	if (status === 429) return 'rate-limited';
	return status === 408 || status >= 500 ? 'unavailable' : 'invalid';
}

/** The registry's errors as containerd shows them: `toomanyrequests: You have reached your pull rate limit`. */
function messagesIn(body: Buffer | undefined): readonly string[] {
	const value = body && attempt(() => readJson(body.toString('utf8'), { values: 1000, depth: 16 }).value);
	const errors = isRecord(value) ? own(value, 'errors') : undefined;
	return (isList(errors) ? errors : []).slice(0, MAX_ERRORS).flatMap((each) => {
		if (!isRecord(each)) return [];
		const [code, message] = [own(each, 'code'), own(each, 'message')].map((text) =>
			typeof text === 'string' ? text : '',
		);
		const words = shown((code ?? '').toLowerCase().replaceAll('_', ' ')) || 'unknown';
		return message ? [`${words}: ${shown(message)}`] : [words];
	});
}

/** A text of the registry, without control characters, and of limited length. */
function shown(text: string): string {
	return text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').slice(0, MAX_MESSAGE_LENGTH);
}

/** The delay that the registry wants before the next request: seconds, or a date. */
function retryAfter({ headers }: RegistryAnswer, nowMs: number): number | undefined {
	const text = headers['retry-after'];
	if (text === undefined) return undefined;
	if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
	const date = Date.parse(text);
	return Number.isNaN(date) ? undefined : Math.max(date - nowMs, 0);
}
