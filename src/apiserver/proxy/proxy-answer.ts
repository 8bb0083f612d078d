/**
 * HTTP requests to the subresource `proxy`: passes a request on to a port of a Pod and its answer back, both as they
 * arrive (upstream: UpgradeAwareHandler in apimachinery/pkg/util/proxy).
 *
 * Read in this order: proxy-target.ts (which requests, and where to), proxy-answer.ts (requests without an upgrade),
 * backend-request.ts (the request to the Pod), duplex-stream.ts (its connection), proxy-upgrade.ts (WebSockets and others).
 * The rules for names, paths, headers and links are in plan/proxy/.
 *
 * 1. Nothing is stored beyond the windows of the two connections: each side is read as fast as the other one takes it.
 * 2. Each request has a connection of its own to the Pod, which ends with the request, so that a Pod that never answers
 *    occupies nothing else. There is no time limit, as upstream; the request ends when the client goes away.
 * 3. Redirects are never followed, and the credentials of the client are not sent on.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline, type Readable, Transform } from 'node:stream';
import { HtmlLinks } from '../../plan/proxy/html-links.ts';
import { answeredHeaders } from '../../plan/proxy/proxied-headers.ts';
import { proxiedPath } from '../../plan/proxy/proxied-path.ts';
import { type ProxyPlace, proxiedUrl } from '../../plan/proxy/proxied-url.ts';
import { splitTarget } from '../http/request-target.ts';
import { type BackendRequest, sendToBackend, unreachable } from './backend-request.ts';
import type { ProxyTarget } from './proxy-target.ts';

/** The exchange with the client. */
export interface ProxiedExchange {
	readonly request: IncomingMessage;
	readonly response: ServerResponse;
	/** Aborts when the client goes away. */
	readonly signal: AbortSignal;
	/** Writes a piece of the answer; resolves once the client may be sent the next one. */
	write(piece: Uint8Array): Promise<void>;
}

/**
 * Passes a request on and answers it, all but the end of the answer, which is the caller's. Resolves to the status code.
 * Rejects with an ApiError if the backend cannot be reached, before anything has been sent to the client; with another error
 * if the answer breaks off.
 */
export async function proxyRequest(target: ProxyTarget, exchange: ProxiedExchange): Promise<number> {
	const { request, response, signal } = exchange;
	const { path, search } = splitTarget(request.url ?? '');
	const proxied = proxiedPath(path, target.rest);
	const { prefix } = proxied;
	const isRead = request.method === 'GET' || request.method === 'HEAD';
	// The relative links of a page would miss the last element of a path without a slash at its end.
	if (isRead && proxied.path === '') {
		// Not the path as it was sent: two slashes at its beginning would lead to another host.
		response.writeHead(301, { location: `${prefix}/${search}`, 'content-length': 0 });
		return 301;
	}
	const place = { prefix, backendHost: target.host, requestHost: request.headers.host ?? '' };
	const backend = await sendToBackend(target, request, { isUpgrade: false, signal }).catch(
		(error: unknown): never => {
			throw unreachable(error);
		},
	);
	try {
		return await passOn(backend, exchange, place);
	} finally {
		request.unpipe(backend.sent);
		backend.close();
	}
}

async function passOn(
	{ sent, answer }: BackendRequest,
	{ request, response, write }: ProxiedExchange,
	place: ProxyPlace,
): Promise<number> {
	request.pipe(sent);
	const answered = await answer.catch((error: unknown): never => {
		throw unreachable(error);
	});
	const backend = answered.response;
	const code = backend.statusCode ?? 502;
	const { body, changes } = changed(backend, place, request.method === 'HEAD');
	response.writeHead(code, [...answeredHeaders(backend.rawHeaders, changes)]);
	response.flushHeaders();
	for await (const piece of body) await write(piece);
	const { rawTrailers } = backend;
	// Node sends them only if the answer is chunked.
	for (let index = 0; index < rawTrailers.length; index += 2)
		response.addTrailers({ [rawTrailers[index] ?? '']: rawTrailers[index + 1] ?? '' });
	return code;
}

interface Changed {
	readonly body: AsyncIterable<Uint8Array>;
	/** See answeredHeaders. */
	readonly changes: Readonly<Record<string, string | undefined>>;
}

/** The answer with its links changed: the target of a redirect, or else those of a page. */
function changed(backend: IncomingMessage, place: ProxyPlace, isHead: boolean): Changed {
	const { location } = backend.headers;
	if (location) return { body: backend, changes: { location: proxiedUrl(location, place) } };
	const [type = ''] = (backend.headers['content-type'] ?? '').split(';', 1);
	const code = codingOf(backend.headers['content-encoding'] ?? '');
	if (type.trim() !== 'text/html' || !code) return { body: backend, changes: {} };
	const changes = { 'content-length': undefined };
	const isEmpty = isHead || backend.statusCode === 204 || backend.statusCode === 304;
	if (isEmpty) return { body: backend, changes };
	const steps = [...code.decoded(), linkStep(place), ...code.encoded()];
	// An error of one step destroys all others; the reader gets it from the last one.
	const body = steps.reduce<Readable>((from, to) => pipeline(from, to, () => undefined), backend);
	return { body, changes };
}

interface Coding {
	readonly decoded: () => readonly Transform[];
	readonly encoded: () => readonly Transform[];
}

/** The encodings of pages whose links can be changed, as upstream; undefined for others. */
function codingOf(encoding: string): Coding | undefined {
	const zlib = () => process.getBuiltinModule('node:zlib');
	switch (encoding) {
		case '':
			return { decoded: () => [], encoded: () => [] };
		case 'gzip':
			return { decoded: () => [zlib().createGunzip()], encoded: () => [zlib().createGzip()] };
		case 'deflate':
			return { decoded: () => [zlib().createInflateRaw()], encoded: () => [zlib().createDeflateRaw()] };
		default:
			return undefined;
	}
}

function linkStep(place: ProxyPlace): Transform {
	const links = new HtmlLinks((url) => proxiedUrl(url, place));
	const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');
	return new Transform({
		transform: (bytes: Buffer, _encoding, done) => done(null, bytesOf(links.push(bytes.toString('latin1')))),
		flush: (done) => done(null, bytesOf(links.end())),
	});
}
