import { allowsPlainHttp, type Endpoint } from './hosts/endpoints.ts';
import type { HttpClient, HttpRequest, RegistryAnswer } from './http/http-client.ts';
import { RegistryError, shownUrl } from './registry-error.ts';

/**
 * Follows redirects, and decides to which hosts an endpoint may send this program: by a redirect, as the realm of its
 * tokens, or as the location of an upload.
 */

/** As many as Go's client follows. */
const MAX_REDIRECTS = 10;

/** A request to an endpoint, and the header by which it is authorized. */
export interface AuthorizedRequest {
	readonly request: HttpRequest;
	readonly endpoint: Endpoint;
	/** The value of the Authorization header. It is sent to the origin of the request's URL alone. */
	readonly authorization?: string;
}

/** Sends the request; follows redirects of it. */
export async function sendFollowing(client: HttpClient, sent: AuthorizedRequest): Promise<RegistryAnswer> {
	const { endpoint, authorization } = sent;
	const { origin } = sent.request.url;
	let { request } = sent;
	for (let redirects = 0; ; redirects += 1) {
		const isOrigin = request.url.origin === origin;
		const headers = {
			...request.headers,
			...(isOrigin && authorization && { Authorization: authorization }),
		};
		const answer = await client.send({ ...request, headers });
		const next = redirected(answer, request);
		if (!next) return answer;
		answer.discard();
		if (redirects === MAX_REDIRECTS) throw refused(request, `stopped after ${MAX_REDIRECTS} redirects`);
		checkTarget(next.url, endpoint);
		request = { ...next, allowLoopback: isReachable(next.url, { endpoint, answer, origin }) };
	}
}

/** The request that follows the redirect of an answer; undefined if it is none. */
function redirected({ status, headers }: RegistryAnswer, request: HttpRequest): HttpRequest | undefined {
	const { location } = headers;
	const repeats = request.method === 'GET' || request.method === 'HEAD' || status === 307 || status === 308;
	if (![301, 302, 303, 307, 308].includes(status) || location === undefined || !repeats) return undefined;
	const url = URL.parse(location, request.url);
	if (!url) throw refused(request, 'the Location of the redirect is not a URL');
	// The certificate of this program, and the trust in another authority, are for the configured host alone.
	const { tls, ...others } = request;
	return { ...others, url, ...(tls && url.origin === request.url.origin && { tls }) };
}

/** Throws RegistryError if the endpoint must not send this program to `url`. */
export function checkTarget(url: URL, { httpHosts }: Endpoint): void {
	if (url.protocol === 'https:' || (url.protocol === 'http:' && allowsPlainHttp(url, httpHosts))) return;
	const problem =
		url.protocol === 'http:' ? 'plain HTTP is not allowed to this host' : 'the protocol is not HTTP';
	throw new RegistryError(`request to ${shownUrl(url)} refused: ${problem}`, {
		kind: 'refused',
		...(url.protocol === 'http:' && {
			hint: `List ${url.host} as an insecure registry if you trust the network.`,
		}),
	});
}

/** Whether the host may be this machine: the user named this machine, or the answer came from it. */
function isReachable(
	url: URL,
	from: { readonly endpoint: Endpoint; readonly answer: RegistryAnswer; readonly origin: string },
): boolean {
	return from.endpoint.allowsLoopback || from.answer.isFromLoopback || url.origin === from.origin;
}

function refused({ method, url }: HttpRequest, problem: string): RegistryError {
	const name = method[0] + method.slice(1).toLowerCase();
	return new RegistryError(`failed to do request: ${name} "${shownUrl(url)}": ${problem}`, {
		kind: 'refused',
	});
}
