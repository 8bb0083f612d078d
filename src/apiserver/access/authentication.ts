import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { ADMIN, ANONYMOUS, type User } from '../../api/contract/user.ts';
import { forbiddenRequest, unauthorized } from '../../api/errors/api-error.ts';

/**
 * The authentication stage for requests over HTTPS. The only user with credentials is the administrator, whose
 * bearer token is in the server's kubeconfig.
 *
 * 1. A request with an Origin header is rejected, so that no web page in the user's browser can reach the
 *    server. The exception is a WebSocket with the token in its header Authorization, which upstream's clients open
 *    with an Origin: a page cannot set that header on a WebSocket. (Upstream accepts any Origin, and the token in a
 *    sub-protocol too, which a page can set; this server does not.) Rejected is also a request whose Host header is not a loopback name or address: with DNS rebinding, a page
 *    of another site has its host name resolve to 127.0.0.1 and then counts as same-origin, without an Origin
 *    header.
 * 2. Every other request needs the token, except for the public paths (`open`): without it their user is
 *    `system:anonymous`.
 */
export class Authentication {
	readonly #digest: Buffer;

	constructor(token: string) {
		this.#digest = digestOf(token);
	}

	/**
	 * Returns the user of a request. Throws Forbidden for requests of web pages, and Unauthorized without a
	 * valid token. `open` is true for paths that need no token.
	 */
	authenticate(headers: IncomingHttpHeaders, open: boolean): User {
		if (headers.origin !== undefined) throw forbiddenRequest('requests from web pages are not allowed');
		if (!isLoopbackHost(headers.host ?? '')) {
			throw forbiddenRequest('the Host header must name this machine by a loopback name or address');
		}
		if (this.#hasToken(headers.authorization ?? '')) return ADMIN;
		if (!open) throw unauthorized();
		return ANONYMOUS;
	}

	/**
	 * Returns the user of a request to upgrade its connection, which always needs the token. Throws like
	 * {@link authenticate}.
	 */
	authenticateUpgrade(headers: IncomingHttpHeaders): User {
		const { origin, ...others } = headers;
		const isWebSocket = headers.upgrade?.toLowerCase() === 'websocket';
		const mayHaveOrigin = isWebSocket && this.#hasToken(headers.authorization ?? '');
		return this.authenticate(mayHaveOrigin ? others : headers, false);
	}

	#hasToken(authorization: string): boolean {
		const token = /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
		// timingSafeEqual needs inputs of equal length, and digests have one. Comparing the texts would take
		// longer the more leading characters of the token a client guessed.
		return token !== undefined && timingSafeEqual(digestOf(token), this.#digest);
	}
}

/** Whether a Host header names the machine itself: `localhost`, 127.0.0.0/8 or `[::1]`, with any port. */
export function isLoopbackHost(host: string): boolean {
	return /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(:\d{1,5})?$/i.test(host);
}

function digestOf(text: string): Buffer {
	return createHash('sha256').update(text).digest();
}
