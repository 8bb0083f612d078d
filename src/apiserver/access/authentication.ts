import type { IncomingHttpHeaders } from 'node:http';
import { ANONYMOUS, type User } from '../../api/contract/user.ts';
import { forbiddenRequest, unauthorized } from '../../api/errors/api-error.ts';
import type { TokenAuthenticator } from './tokens/token-authenticator.ts';

/**
 * The authentication stage for requests over HTTPS. Users have bearer tokens: the administrator's is in the
 * server's kubeconfig, and ServiceAccounts get theirs from the API.
 *
 * 1. A request with an Origin header is rejected, so that no web page in the user's browser can reach the
 *    server. So is a request whose Host header is not a loopback name or address: with DNS rebinding, a page
 *    of another site has its host name resolve to 127.0.0.1 and then counts as same-origin, without an Origin
 *    header.
 * 2. Every other request needs a valid token, except for the public paths (`open`): without it their user is
 *    `system:anonymous`.
 */
export class Authentication {
	readonly #tokens: Pick<TokenAuthenticator, 'userOf'>;

	constructor(tokens: Pick<TokenAuthenticator, 'userOf'>) {
		this.#tokens = tokens;
	}

	/**
	 * Returns the user of a request, or a promise of it if the token has to be verified. Throws Forbidden for
	 * requests of web pages, and Unauthorized (or rejects with it) without a valid token. `open` is true for paths
	 * that need no token.
	 */
	authenticate(headers: IncomingHttpHeaders, open: boolean): User | Promise<User> {
		if (headers.origin !== undefined) throw forbiddenRequest('requests from web pages are not allowed');
		if (!isLoopbackHost(headers.host ?? '')) {
			throw forbiddenRequest('the Host header must name this machine by a loopback name or address');
		}
		const token = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
		if (token === undefined) return knownOr(open, undefined);
		const user = this.#tokens.userOf(token);
		return user instanceof Promise ? user.then((known) => knownOr(open, known)) : user;
	}
}

/** The user; without one, an anonymous user on open paths. Throws Unauthorized on the others. */
function knownOr(open: boolean, user: User | undefined): User {
	if (user) return user;
	if (!open) throw unauthorized();
	return ANONYMOUS;
}

/** Whether a Host header names the machine itself: `localhost`, 127.0.0.0/8 or `[::1]`, with any port. */
export function isLoopbackHost(host: string): boolean {
	return /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(:\d{1,5})?$/i.test(host);
}
