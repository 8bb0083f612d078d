import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { ADMIN, ANONYMOUS, type User } from '../../api/contract/user.ts';
import { forbiddenRequest, unauthorized } from '../../api/errors/api-error.ts';

/**
 * The authentication stage for requests over connections. The only user with credentials is the administrator, whose
 * bearer token is in the server's kubeconfig.
 *
 * 1. A request with an Origin header is rejected, so that no web page in the user's browser can reach the
 *    server. So is a request whose Host header is not a loopback name or address: with DNS rebinding, a page
 *    of another site has its host name resolve to 127.0.0.1 and then counts as same-origin, without an Origin
 *    header.
 * 2. Every other request needs the token, except for the public paths (`open`): without credentials their user
 *    is `system:anonymous`.
 * 3. A wrong token is rejected on public paths too (upstream: the union of authenticators fails on the first
 *    error, and `anonymous` is the last of them). Otherwise a probe with an outdated token would report success.
 *    Credentials of another scheme, such as Basic, are ignored, since upstream has no authenticator for them.
 * 4. At the server's Unix socket the file system has authenticated the client, so the token may be missing. One that
 *    is sent must be valid: it says who the client wants to be.
 */
export class Authentication {
	readonly #digest: Buffer;

	constructor(token: string) {
		this.#digest = digestOf(token);
	}

	/**
	 * Returns the user of a request. Throws Forbidden for requests of web pages, and Unauthorized with a wrong
	 * token, or without a token unless `open` is true: for paths that need none.
	 */
	authenticate(headers: IncomingHttpHeaders, open: boolean): User {
		this.#rejectWebPages(headers);
		const token = bearerTokenOf(headers.authorization ?? '');
		if (token !== undefined && this.#isToken(token)) return ADMIN;
		if (token !== undefined || !open) throw unauthorized();
		return ANONYMOUS;
	}

	/** As {@link authenticate}, for a request at the server's Unix socket. */
	authenticateLocal(headers: IncomingHttpHeaders, open: boolean): User {
		if (headers.authorization !== undefined) return this.authenticate(headers, open);
		this.#rejectWebPages(headers);
		return ADMIN;
	}

	#rejectWebPages(headers: IncomingHttpHeaders): void {
		if (headers.origin !== undefined) throw forbiddenRequest('requests from web pages are not allowed');
		if (!isLoopbackHost(headers.host ?? '')) {
			throw forbiddenRequest('the Host header must name this machine by a loopback name or address');
		}
	}

	#isToken(token: string): boolean {
		// timingSafeEqual needs inputs of equal length, and digests have one. Comparing the texts would take
		// longer the more leading characters of the token a client guessed.
		return timingSafeEqual(digestOf(token), this.#digest);
	}
}

/** The text after `Bearer`; undefined if the header has another scheme or the text is empty. */
function bearerTokenOf(authorization: string): string | undefined {
	return /^Bearer +(\S.*)$/i.exec(authorization)?.[1]?.trimEnd();
}

/** Whether a Host header names the machine itself: `localhost`, 127.0.0.0/8 or `[::1]`, with any port. */
export function isLoopbackHost(host: string): boolean {
	return /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(:\d{1,5})?$/i.test(host);
}

function digestOf(text: string): Buffer {
	return createHash('sha256').update(text).digest();
}
