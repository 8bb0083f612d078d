import { codeOf } from '../../../base/files/system-error.ts';
import { messageOf } from '../../../base/message-of.ts';
import { RegistryError, type RegistryErrorKind, shownUrl } from '../registry-error.ts';
import { unbracketed } from './addresses.ts';

/**
 * Errors of connections in the words of Go's net and net/http, in which they stand in the events of every cluster:
 * `failed to do request: Head "https://registry/v2/": dial tcp: lookup registry: no such host`.
 */

/** The error for a request that got no answer. */
export function requestError(
	request: { readonly method: string; readonly url: URL },
	error: unknown,
): RegistryError {
	if (error instanceof RegistryError && error.kind === 'invalid') return error;
	const { text, kind } = failureOf(error, request.url);
	const method = request.method[0] + request.method.slice(1).toLowerCase();
	const message = `failed to do request: ${method} "${shownUrl(request.url)}": ${text}`;
	return new RegistryError(message, error instanceof RegistryError ? error.failure : { kind });
}

interface FailureText {
	readonly text: string;
	readonly kind: RegistryErrorKind;
}

const UNKNOWN_AUTHORITY: readonly string[] = [
	'DEPTH_ZERO_SELF_SIGNED_CERT',
	'SELF_SIGNED_CERT_IN_CHAIN',
	'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
	'UNABLE_TO_GET_ISSUER_CERT',
	'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
	'CERT_UNTRUSTED',
];

/** Whether a certificate was refused because its issuer is not trusted. */
export function isUnknownAuthority(error: unknown): boolean {
	return UNKNOWN_AUTHORITY.includes(codeOf(error));
}

/** The texts of system errors while connecting, by code. */
const CONNECT_TEXTS: Readonly<Record<string, string>> = {
	ECONNREFUSED: 'connect: connection refused',
	EHOSTUNREACH: 'connect: no route to host',
	ENETUNREACH: 'connect: network is unreachable',
	EADDRNOTAVAIL: 'connect: cannot assign requested address',
	ETIMEDOUT: 'i/o timeout',
};

function failureOf(error: unknown, url: URL): FailureText {
	if (error instanceof RegistryError) return { text: error.message, kind: error.kind };
	// Node tries each address of a name; Go reports the first.
	if (error instanceof AggregateError && error.errors.length > 0) return failureOf(error.errors[0], url);
	const code = codeOf(error);
	const host = unbracketed(url.hostname);
	if (code === 'ENOTFOUND') return unreachable(`dial tcp: lookup ${hostOf(error, host)}: no such host`);
	if (code === 'EAI_AGAIN')
		return unreachable(`dial tcp: lookup ${hostOf(error, host)}: Temporary failure in name resolution`);
	const connectText = Object.hasOwn(CONNECT_TEXTS, code) ? CONNECT_TEXTS[code] : undefined;
	if (connectText) return unreachable(`dial tcp ${addressOf(error, url)}: ${connectText}`);
	if (isUnknownAuthority(error))
		return unreachable('tls: failed to verify certificate: x509: certificate signed by unknown authority');
	if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
		return unreachable(
			'tls: failed to verify certificate: x509: certificate has expired or is not yet valid',
		);
	if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
		return unreachable(`tls: failed to verify certificate: x509: certificate is not valid for ${host}`);
	if (/wrong version number|packet length too long|http request/i.test(messageOf(error)))
		return unreachable('http: server gave HTTP response to HTTPS client');
	if (code === 'HPE_INVALID_CONSTANT' || code === 'HPE_INVALID_VERSION')
		return unreachable('net/http: HTTP/1.x transport connection broken: malformed HTTP response');
	if (/socket hang up|aborted|Premature close/i.test(messageOf(error)))
		return { text: 'unexpected EOF', kind: 'unavailable' };
	if (code === 'ECONNRESET' || code === 'EPIPE')
		return { text: 'read: connection reset by peer', kind: 'unavailable' };
	return { text: messageOf(error), kind: 'unavailable' };
}

function unreachable(text: string): FailureText {
	return { text, kind: 'unreachable' };
}

/** The name that could not be resolved: with a proxy, it is the proxy's. */
function hostOf(error: unknown, host: string): string {
	return error instanceof Error && 'hostname' in error ? String(error.hostname) : host;
}

function addressOf(error: unknown, url: URL): string {
	const port = url.port || (url.protocol === 'https:' ? '443' : '80');
	if (!(error instanceof Error && 'address' in error && 'port' in error)) return `${url.hostname}:${port}`;
	const address = String(error.address);
	return `${address.includes(':') ? `[${address}]` : address}:${error.port}`;
}
