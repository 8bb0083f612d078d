import type { HttpRequest } from './http-client.ts';

/** Shorter texts are words like any other. */
const SHORTEST_SECRET = 4;

/** `text` without the secrets that a request contained: a registry may repeat them in its answer. */
export function withoutSecrets(
	text: string,
	{ headers, body }: Pick<HttpRequest, 'headers' | 'body'>,
): string {
	let clean = text;
	const authorization = headers.authorization ?? headers.Authorization ?? '';
	for (const secret of [...inHeader(authorization), ...inForm(body)])
		if (secret.length >= SHORTEST_SECRET) clean = clean.replaceAll(secret, 'REDACTED');
	return clean;
}

function inHeader(authorization: string): readonly string[] {
	const [scheme = '', value = ''] = authorization.split(' ', 2);
	if (scheme.toLowerCase() !== 'basic') return [value];
	const decoded = Buffer.from(value, 'base64').toString('utf8');
	return [value, decoded, decoded.slice(decoded.indexOf(':') + 1)];
}

/** The secrets of a request for a token (OAuth 2). */
function inForm(body: HttpRequest['body']): readonly string[] {
	if (!(body instanceof Uint8Array) || body.length > 64_000) return [];
	const form = new URLSearchParams(Buffer.from(body).toString('utf8'));
	return ['password', 'refresh_token'].flatMap((name) => form.getAll(name));
}
