import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { isIP } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import { type HttpTarget, joinHostPort, urlOf } from '../../plan/pod/probes/action-target.ts';
import type { PodSockets } from '../../runtime/pod-sockets.ts';
import { requestErrorText } from './network-error.ts';

/**
 * HTTP requests of probes and hooks, as the kubelet's clients send them: without keep-alive, proxy and compression,
 * without verification of certificates, and with redirects only to the same host (upstream: pkg/probe/http/http.go).
 */

/** At most this much of a body is read: upstream's `maxRespBodyLength`. */
const MOST_BODY_BYTES = 10 * 1024;

/** Upstream's limit, that of Go's http.Client. */
const MOST_REDIRECTS = 10;

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** The answer to a request, after redirects. */
export interface HttpAnswer {
	readonly status: number;
	/** The start of the body. */
	readonly body: string;
}

/** When a request ends without an answer. */
export interface HttpLimits {
	readonly clock: Clock;
	readonly sockets: Pick<PodSockets, 'connect'>;
	/** For the request with all redirects; undefined for none. */
	readonly timeoutMs?: number;
	readonly signal?: AbortSignal;
}

/** The request has failed; the message is that of Go's client. */
export class HttpGetError extends Error {
	override readonly name = 'HttpGetError';
	/** Whether the answer had begun: upstream then discards the outcome. */
	readonly isInBody: boolean;

	constructor(message: string, isInBody = false) {
		super(message);
		this.isInBody = isInBody;
	}
}

/** Sends a GET request. Rejects with {@link HttpGetError}. */
export async function httpGet(target: HttpTarget, limits: HttpLimits): Promise<HttpAnswer> {
	const { clock, timeoutMs, signal, sockets } = limits;
	const ended = new AbortController();
	let isLate = false;
	const timer =
		timeoutMs === undefined
			? undefined
			: clock.setTimer(timeoutMs, () => {
					isLate = true;
					ended.abort();
				});
	const abort = (): void => ended.abort();
	signal?.addEventListener('abort', abort, { once: true });
	if (signal?.aborted) ended.abort();
	try {
		return await follow(target, { signal: ended.signal, isLate: () => isLate, sockets });
	} finally {
		timer?.cancel();
		signal?.removeEventListener('abort', abort);
	}
}

/** How a request is sent, and what ends it: `isLate` tells a timeout from an abort. */
interface Sending extends Pick<HttpLimits, 'sockets'> {
	readonly signal: AbortSignal;
	isLate(): boolean;
}

async function follow(first: HttpTarget, sending: Sending): Promise<HttpAnswer> {
	let target = first;
	for (let redirects = 0; ; redirects++) {
		const response = await responseTo(target, sending);
		const next = redirectOf(response, target);
		if (!next || next.host !== first.host) return await read(response, target, sending);
		response.destroy();
		if (redirects >= MOST_REDIRECTS) {
			throw new HttpGetError(`Get "${urlOf(next)}": stopped after ${MOST_REDIRECTS} redirects`);
		}
		target = next;
	}
}

/** Where the answer redirects to; undefined if it is no redirect that a client can follow. */
function redirectOf({ statusCode = 0, headers }: IncomingMessage, from: HttpTarget): HttpTarget | undefined {
	if (!REDIRECTS.has(statusCode) || !headers.location) return undefined;
	const url = URL.parse(headers.location, urlOf(from));
	if (url?.protocol !== 'http:' && url?.protocol !== 'https:') return undefined;
	const scheme = url.protocol === 'https:' ? 'https' : 'http';
	const port = Number(url.port) || (scheme === 'https' ? 443 : 80);
	const host = url.hostname.replace(/^\[|\]$/g, '');
	return { scheme, host, port, path: `${url.pathname}${url.search}`, headers: from.headers };
}

async function responseTo(target: HttpTarget, sending: Sending): Promise<IncomingMessage> {
	const { signal, isLate } = sending;
	const url = urlOf(target);
	const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
	try {
		const request = await requestOf(target, sending);
		request.on('response', resolve);
		request.on('error', reject);
		// An upgrade is no answer to a GET without the header; Node would otherwise leave the socket open.
		request.on('upgrade', (response, socket) => {
			socket.destroy();
			resolve(response);
		});
		request.end();
		return await promise;
	} catch (error) {
		if (isLate()) {
			throw new HttpGetError(
				`Get "${url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
			);
		}
		if (signal.aborted) throw new HttpGetError(`Get "${url}": context canceled`);
		throw new HttpGetError(requestErrorText(error, url, joinHostPort(target.host, target.port)));
	}
}

async function requestOf(target: HttpTarget, { signal, sockets }: Sending): Promise<ClientRequest> {
	const { scheme, host, port, path, headers } = target;
	// Loaded with the first probe: most nodes never send a request. Before the connection, whose errors the request handles.
	const { request } = await import(scheme === 'https' ? 'node:https' : 'node:http');
	const tls = scheme === 'https' ? await import('node:tls') : undefined;
	const socket = await sockets.connect({ host, port }, signal);
	socket.allowHalfOpen = false;
	const options: RequestOptions = {
		host,
		port,
		path,
		signal,
		headers: {
			// Node does not accept a list for headers such as Host.
			...Object.fromEntries(
				Array.from(headers, ([name, values]) => [name, values.length > 1 ? values : values[0]]),
			),
			connection: 'close',
		},
	};
	// Certificates are not verified.
	const server = { rejectUnauthorized: false, ...(isIP(host) === 0 && { servername: host }) };
	const connection = tls?.connect({ socket, ...server }) ?? socket;
	return request({ ...options, createConnection: () => connection });
}

async function read(response: IncomingMessage, target: HttpTarget, { isLate }: Sending): Promise<HttpAnswer> {
	const parts: Buffer[] = [];
	let size = 0;
	try {
		for await (const part of response) {
			parts.push(part);
			size += part.length;
			if (size >= MOST_BODY_BYTES) break;
		}
	} catch (error) {
		const text = isLate()
			? 'context deadline exceeded (Client.Timeout or context cancellation while reading body)'
			: requestErrorText(error, urlOf(target), joinHostPort(target.host, target.port));
		throw new HttpGetError(text, true);
	} finally {
		response.destroy();
	}
	const body = Buffer.concat(parts).subarray(0, MOST_BODY_BYTES).toString('utf8');
	return { status: response.statusCode ?? 0, body };
}
