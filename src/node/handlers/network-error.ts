import { codeOf } from '../../base/files/system-error.ts';
import { messageOf } from '../../base/message-of.ts';
import { quote } from '../../base/quote.ts';

/** Go's texts of errors of the system, which upstream's events contain and which users search for. */
const TEXTS: Readonly<Record<string, string>> = {
	ECONNREFUSED: 'connect: connection refused',
	EHOSTUNREACH: 'connect: no route to host',
	ENETUNREACH: 'connect: network is unreachable',
	EADDRNOTAVAIL: 'connect: cannot assign requested address',
	EACCES: 'connect: permission denied',
	ETIMEDOUT: 'connect: connection timed out',
};

/** The message of a failed connection to `address` (`host:port`), as Go's net.Dial has it. */
export function dialErrorText(error: unknown, address: string): string {
	const code = firstCode(error);
	if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
		const host = address.slice(0, address.lastIndexOf(':'));
		return `dial tcp: lookup ${host}: ${code === 'ENOTFOUND' ? 'no such host' : 'server misbehaving'}`;
	}
	const text = TEXTS[code];
	if (text !== undefined) return `dial tcp ${address}: ${text}`;
	return `dial tcp ${address}: ${messageOf(error)}`;
}

/** The message of a failed HTTP request to `url`, as Go's http.Client has it. */
export function requestErrorText(error: unknown, url: string, address: string): string {
	return `Get ${quote(url)}: ${causeText(error, address)}`;
}

function causeText(error: unknown, address: string): string {
	const code = firstCode(error);
	if (code === 'EPROTO' || code.startsWith('ERR_SSL')) {
		// OpenSSL takes the first letters of an HTTP answer for the version of TLS.
		const isPlain = /wrong.version.number|packet length too long/i.test(`${code} ${messageOf(error)}`);
		return isPlain ? 'http: server gave HTTP response to HTTPS client' : `tls: ${messageOf(error).trim()}`;
	}
	if (code.startsWith('HPE_')) return `net/http: HTTP/1.x transport connection broken: ${messageOf(error)}`;
	if (code !== 'ECONNRESET') return dialErrorText(error, address);
	// Node reports an orderly end before the answer with the same code.
	return messageOf(error) === 'socket hang up'
		? 'EOF'
		: `read tcp ${address}: read: connection reset by peer`;
}

/** The code of the error. One with several causes, as for a name with several addresses, has that of the first. */
function firstCode(error: unknown): string {
	return error instanceof AggregateError && error.errors.length > 0
		? firstCode(error.errors[0])
		: codeOf(error);
}
