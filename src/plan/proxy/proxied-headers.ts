/** Names and values alternate, as Node reads and writes them: the order and repeated headers stay. */
export type RawHeaders = readonly string[];

/** Headers that mean one connection only (RFC 9110, and Go's httputil.ReverseProxy). */
const HOP_BY_HOP: readonly string[] = [
	'connection',
	'proxy-connection',
	'keep-alive',
	'proxy-authenticate',
	'proxy-authorization',
	'te',
	'trailer',
	'transfer-encoding',
	'upgrade',
];

/** The caller's credentials for the API, which the backend must not get. */
const CREDENTIALS: readonly string[] = ['authorization', 'proxy-authorization'];

/** A token in the sub-protocols of a WebSocket (upstream: protocol.go in authentication/request/websocket). */
const TOKEN_PROTOCOL = 'base64url.bearer.authorization.k8s.io.';

/** What the backend learns of the client beyond the headers of the request. */
export interface ForwardedClient {
	/** The address of the client; undefined at a Unix socket. */
	readonly address: string | undefined;
	/** The path of the request at the API server. */
	readonly path: string;
	/** Whether the headers that upgrade the connection are passed on. */
	readonly isUpgrade: boolean;
}

/**
 * The headers that the backend gets of those of a request (upstream: Transport.RoundTrip in apimachinery/pkg/util/proxy,
 * with Go's ReverseProxy below it).
 */
export function forwardedHeaders(headers: RawHeaders, client: ForwardedClient): RawHeaders {
	const dropped = new Set([
		...CREDENTIALS,
		...(client.isUpgrade ? [] : [...hopByHop(headers), 'expect', 'x-forwarded-uri']),
		'x-forwarded-for',
	]);
	const kept = without(headers, dropped).map((text, index, all) =>
		index % 2 === 1 && all[index - 1]?.toLowerCase() === 'sec-websocket-protocol' ? withoutToken(text) : text,
	);
	const seen = [...valuesOf(headers, 'x-forwarded-for'), ...(client.address ? [client.address] : [])];
	return [
		...kept,
		...(seen.length > 0 ? ['X-Forwarded-For', seen.join(', ')] : []),
		...(client.isUpgrade ? [] : ['X-Forwarded-Uri', client.path]),
	];
}

/** Headers of an answer by which a page of another site could read it, since it has the origin of the API. */
const CORS: readonly string[] = [
	'access-control-allow-credentials',
	'access-control-allow-headers',
	'access-control-allow-methods',
	'access-control-allow-origin',
];

/**
 * The headers that the client gets of those of an answer, with `changes` made: undefined drops a header (upstream:
 * corsRemovingTransport).
 */
export function answeredHeaders(
	headers: RawHeaders,
	changes: Readonly<Record<string, string | undefined>>,
): RawHeaders {
	const added = Object.entries(changes).flatMap(([name, value]) =>
		value === undefined ? [] : [name, value],
	);
	return [...without(headers, new Set([...hopByHop(headers), ...CORS, ...Object.keys(changes)])), ...added];
}

/** All headers but those of one connection. */
export function endToEndHeaders(headers: RawHeaders): RawHeaders {
	return without(headers, new Set(hopByHop(headers)));
}

/** The values of a header, in their order. `name` is lower case. */
export function valuesOf(headers: RawHeaders, name: string): readonly string[] {
	return headers.filter((_, index) => index % 2 === 1 && headers[index - 1]?.toLowerCase() === name);
}

/** The hop-by-hop headers, with those that the header Connection names. */
function hopByHop(headers: RawHeaders): readonly string[] {
	const named = valuesOf(headers, 'connection').flatMap((value) => value.split(','));
	return [...HOP_BY_HOP, ...named.map((name) => name.trim().toLowerCase())];
}

function without(headers: RawHeaders, dropped: ReadonlySet<string>): readonly string[] {
	const isKept = (index: number): boolean => !dropped.has((headers[index - (index % 2)] ?? '').toLowerCase());
	return headers.filter((_, index) => isKept(index));
}

function withoutToken(protocols: string): string {
	const kept = protocols.split(',').map((name) => name.trim());
	return kept.filter((name) => !name.startsWith(TOKEN_PROTOCOL)).join(', ');
}
