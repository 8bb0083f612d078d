import type { IncomingHttpHeaders } from 'node:http';
import { ADMIN, ANONYMOUS, type User } from '../../api/contract/user.ts';
import { forbiddenRequest, unauthorized } from '../../api/errors/api-error.ts';
import type { TokenAuthenticator } from './tokens/token-authenticator.ts';

/**
 * The authentication stage for requests over connections. Users have bearer tokens: the administrator's is in the
 * server's kubeconfig, and ServiceAccounts get theirs from the API.
 *
 * 1. A request with an Origin header is rejected, so that no web page in the user's browser can reach the
 *    server. The exception is a WebSocket with a token in its header Authorization, which upstream's clients open
 *    with an Origin: a page cannot set that header on a WebSocket. (Upstream accepts any Origin, and the token in a
 *    sub-protocol too, which a page can set; this server does not.) Rejected is also a request whose Host header is
 *    neither a loopback name or address nor one of the Service of the API server: with DNS rebinding, a page of another
 *    site has its host name resolve to 127.0.0.1 and then counts as same-origin, without an Origin header.
 * 2. Every other request needs a valid token, except for the public paths (`open`): without credentials their user
 *    is `system:anonymous`.
 * 3. A wrong token is rejected on public paths too (upstream: the union of authenticators fails on the first
 *    error, and `anonymous` is the last of them). Otherwise a probe with an outdated token would report success.
 *    Credentials of another scheme, such as Basic, are ignored, since upstream has no authenticator for them.
 * 4. A request to a subresource `proxy` may have an Origin of this machine: the pages of Pods are such pages where `kubectl
 *    proxy` serves them, and their forms send it. Other sites still reach no Pod.
 * 5. At the server's Unix socket the file system has authenticated the client, so the token may be missing. One that
 *    is sent must be valid: it says who the client wants to be.
 */
export class Authentication {
	readonly #tokens: Pick<TokenAuthenticator, 'userOf'>;
	readonly #serviceHosts: ReadonlySet<string>;

	/** `serviceHosts`: the names and addresses of the Service of the API server. */
	constructor(tokens: Pick<TokenAuthenticator, 'userOf'>, serviceHosts: readonly string[] = []) {
		this.#tokens = tokens;
		this.#serviceHosts = new Set(serviceHosts);
	}

	/**
	 * Returns the user of a request, or a promise of it if the token has to be verified. Throws Forbidden for
	 * requests of web pages, and Unauthorized (or rejects with it) with a wrong token, or without a token unless
	 * `open` is true: for paths that need none.
	 */
	authenticate(headers: IncomingHttpHeaders, open: boolean): User | Promise<User> {
		this.#rejectWebPages(headers);
		const token = bearerTokenOf(headers.authorization ?? '');
		if (token === undefined) return anonymousIf(open);
		const user = this.#tokens.userOf(token);
		return user instanceof Promise ? user.then(knownUser) : knownUser(user);
	}

	/** As {@link authenticate}, for a request at the server's Unix socket. */
	authenticateLocal(headers: IncomingHttpHeaders, open: boolean): User | Promise<User> {
		if (headers.authorization !== undefined) return this.authenticate(headers, open);
		this.#rejectWebPages(headers);
		return ADMIN;
	}

	/**
	 * Returns the user of a request to upgrade its connection, which no public path has. Throws and rejects like
	 * {@link authenticate}.
	 */
	authenticateUpgrade(
		headers: IncomingHttpHeaders,
		{ isLocal }: { readonly isLocal: boolean },
	): User | Promise<User> {
		const { origin, ...others } = headers;
		const isWebSocket = headers.upgrade?.toLowerCase() === 'websocket';
		const mayHaveOrigin = isWebSocket && bearerTokenOf(headers.authorization ?? '') !== undefined;
		const checked = mayHaveOrigin ? others : headers;
		return isLocal ? this.authenticateLocal(checked, false) : this.authenticate(checked, false);
	}

	/**
	 * Returns the user of a request that is passed on to a Pod. Throws and rejects like {@link authenticate}, except that
	 * the Origin may be one of this machine.
	 */
	authenticateProxied(
		headers: IncomingHttpHeaders,
		{ isLocal }: { readonly isLocal: boolean },
	): User | Promise<User> {
		const { origin, ...others } = headers;
		const [, host = ''] = /^https?:\/\/(.*)$/.exec(origin ?? '') ?? [];
		const checked = isLoopbackHost(host) ? others : headers;
		return isLocal ? this.authenticateLocal(checked, false) : this.authenticate(checked, false);
	}

	#rejectWebPages(headers: IncomingHttpHeaders): void {
		if (headers.origin !== undefined) throw forbiddenRequest('requests from web pages are not allowed');
		const { host = '' } = headers;
		if (!isLoopbackHost(host) && !this.#serviceHosts.has(host.replace(/:\d{1,5}$/, '').toLowerCase())) {
			throw forbiddenRequest('the Host header must name this machine by a loopback name or address');
		}
	}
}

/** The user of a token. Throws Unauthorized if no user has the token. */
function knownUser(user: User | undefined): User {
	if (!user) throw unauthorized();
	return user;
}

/** The user of a request without a token. Throws Unauthorized unless the path needs none. */
function anonymousIf(open: boolean): User {
	if (!open) throw unauthorized();
	return ANONYMOUS;
}

/** The text after `Bearer`; undefined if the header has another scheme or the text is empty. */
function bearerTokenOf(authorization: string): string | undefined {
	return /^Bearer +(\S.*)$/i.exec(authorization)?.[1]?.trimEnd();
}

/** Whether a Host header names the machine itself: `localhost`, 127.0.0.0/8 or `[::1]`, with any port. */
export function isLoopbackHost(host: string): boolean {
	return /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(:\d{1,5})?$/i.test(host);
}
