import http, { type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { Clock } from '../../../base/clock.ts';
import { codeOf } from '../../../base/files/system-error.ts';
import { RegistryError } from '../registry-error.ts';
import { checkAddress, isLoopbackAddress, unbracketed } from './addresses.ts';
import { Agents, requestTo, type TlsSettings } from './agents.ts';
import { isUnknownAuthority, requestError } from './failure-text.ts';
import { type Environment, proxyAuthorization, proxyFor } from './proxy.ts';

/**
 * Single HTTP requests, over node:http and node:https.
 *
 * 1. A request rejects with RegistryError, with the words of Go, which users know from events.
 * 2. Nothing waits forever: connecting, the answer's head, and each piece of a body have a maximum time, on the
 *    injected clock. The time in which the consumer of a body does not ask for the next piece does not count.
 * 3. No redirect is followed, no request repeated, and no answer interpreted here: see requests.ts.
 */

/** A body that can be sent again: its bytes, or a function that starts to read it. */
export type RequestBody = Uint8Array | (() => AsyncIterable<Uint8Array>);

/** A request. */
export interface HttpRequest {
	readonly method: string;
	readonly url: URL;
	readonly headers: Readonly<Record<string, string>>;
	readonly body?: RequestBody;
	/** Length of a body that is a function. */
	readonly bodyBytes?: number;
	readonly tls?: TlsSettings;
	/** Whether the host may be this machine; see addresses.ts. */
	readonly allowLoopback: boolean;
	readonly signal?: AbortSignal;
}

/** The head of an answer. Its body must be read to the end or discarded, so that the connection can be used again. */
export interface RegistryAnswer {
	readonly request: HttpRequest;
	readonly status: number;
	/** As containerd shows it: `404 Not Found`. */
	readonly statusText: string;
	readonly headers: IncomingHttpHeaders;
	/** Whether the answer came from this machine. */
	readonly isFromLoopback: boolean;
	/** The pieces of the body. Rejects with RegistryError if it is cut off or stalls. Can be read once. */
	pieces(): AsyncIterable<Uint8Array>;
	/** The whole body; only its beginning if it is longer than `maxBytes`. */
	read(maxBytes: number): Promise<Buffer>;
	/** Closes the answer without reading the body. */
	discard(): void;
}

/** The maximum times of a request, in milliseconds. */
export interface HttpTimeouts {
	/** Until connected, TLS included. */
	readonly connectMs: number;
	/** From the end of the request until the head of the answer. */
	readonly headMs: number;
	/** Without a further piece of a body, in either direction. */
	readonly progressMs: number;
}

/** The usual maximum times. containerd has the first two too, and 5 minutes for the last, but cannot resume. */
export const HTTP_TIMEOUTS: HttpTimeouts = { connectMs: 30_000, headMs: 60_000, progressMs: 60_000 };

/** Sends requests; keeps connections open for later ones until closed. */
export class HttpClient {
	readonly #clock: Clock;
	readonly #env: Environment;
	readonly #timeouts: HttpTimeouts;
	readonly #agents = new Agents();

	constructor(options: {
		readonly clock: Clock;
		readonly env: Environment;
		readonly timeouts?: HttpTimeouts;
	}) {
		this.#clock = options.clock;
		this.#env = options.env;
		this.#timeouts = options.timeouts ?? HTTP_TIMEOUTS;
	}

	/** Sends the request; resolves with the head of the answer, whatever its status. */
	async send(request: HttpRequest): Promise<RegistryAnswer> {
		const { signal } = request;
		checkAddress(request.url.hostname, request.allowLoopback);
		for (;;) {
			signal?.throwIfAborted();
			const outgoing = this.#open(request);
			try {
				return await this.#exchange(request, outgoing);
			} catch (error) {
				outgoing.destroy();
				signal?.throwIfAborted();
				// No byte of the request was sent before the certificate was accepted.
				const isCurable = isUnknownAuthority(error) && this.#agents.trustSystem();
				if (!isCurable && !wasClosedWhileIdle(error, request, outgoing)) throw requestError(request, error);
			}
		}
	}

	/** Closes all connections; requests in progress fail. */
	close(): void {
		this.#agents.close();
	}

	async #exchange(request: HttpRequest, outgoing: http.ClientRequest): Promise<RegistryAnswer> {
		const { url, signal } = request;
		const abort = (): void => {
			outgoing.destroy(signal?.reason instanceof Error ? signal.reason : new Error('context canceled'));
		};
		signal?.addEventListener('abort', abort, { once: true });
		const forget = (): void => signal?.removeEventListener('abort', abort);
		outgoing.once('close', forget);
		const watch = new Deadline(this.#clock, (text) =>
			outgoing.destroy(new RegistryError(text, { kind: 'timed-out' })),
		);
		try {
			this.#watchConnecting(outgoing, watch, url);
			const answered = new Promise<IncomingMessage>((resolve, reject) => {
				outgoing.once('response', resolve);
				outgoing.on('error', reject);
			});
			await Promise.all([answered, this.#sendBody(outgoing, request, watch)]);
			const incoming = await answered;
			// An answer to a half-sent request ends the connection.
			incoming.once('close', () => void (outgoing.writableFinished || outgoing.destroy()));
			return this.#answer(request, incoming);
		} finally {
			watch.clear();
		}
	}

	#open(request: HttpRequest): http.ClientRequest {
		const { url, method, tls, allowLoopback } = request;
		const isSecure = url.protocol === 'https:';
		const proxy = proxyFor(url, this.#env);
		const agent = this.#agents.of({ isSecure, allowLoopback, ...(proxy && { proxy }), ...(tls && { tls }) });
		const headers = { ...request.headers, ...lengthOf(request) };
		if (proxy && !isSecure) {
			return requestTo(proxy, {
				method,
				headers: { Host: url.host, ...headers, ...proxyAuthorization(proxy) },
				path: url.origin + url.pathname + url.search,
				// The agent of this route cannot open TLS connections, which a proxy with https needs.
				agent: proxy.protocol === 'http:' ? agent : false,
			});
		}
		const options = {
			method,
			headers,
			agent,
			hostname: unbracketed(url.hostname),
			port: url.port || (isSecure ? 443 : 80),
			path: url.pathname + url.search,
		};
		return isSecure ? https.request(options) : http.request(options);
	}

	#watchConnecting(outgoing: http.ClientRequest, watch: Deadline, url: URL): void {
		const { connectMs } = this.#timeouts;
		watch.set(connectMs, `dial tcp ${url.host}: i/o timeout`);
		outgoing.once('socket', (socket) => {
			if (!socket.connecting) return watch.clear();
			socket.once('connect', () => {
				if (url.protocol === 'https:') watch.set(connectMs, 'net/http: TLS handshake timeout');
				else watch.clear();
			});
			socket.once('secureConnect', () => watch.clear());
		});
	}

	/** Writes the body, and then waits for the head of the answer. A registry may answer before it has the whole body. */
	async #sendBody(
		outgoing: http.ClientRequest,
		{ body, method }: HttpRequest,
		watch: Deadline,
	): Promise<void> {
		const { progressMs } = this.#timeouts;
		// A registry hashes and copies what was put before it answers.
		const headMs = this.#timeouts.headMs * (method === 'PUT' ? 5 : 1);
		let isAnswered = false;
		outgoing.once('response', () => {
			isAnswered = true;
			watch.clear();
		});
		if (typeof body === 'function') {
			for await (const piece of body()) {
				if (isAnswered || outgoing.destroyed) return;
				if (outgoing.write(piece)) continue;
				watch.set(progressMs, 'write: i/o timeout');
				await drained(outgoing);
				watch.clear();
			}
		}
		if (isAnswered || outgoing.destroyed) return;
		outgoing.end(typeof body === 'function' ? undefined : body);
		outgoing.once('finish', () => {
			if (!isAnswered) watch.set(headMs, 'net/http: timeout awaiting response headers');
		});
	}

	#answer(request: HttpRequest, incoming: IncomingMessage): RegistryAnswer {
		const clock = this.#clock;
		const { progressMs } = this.#timeouts;
		const status = incoming.statusCode ?? 0;
		// An error after the answer was discarded is of no interest; without a listener it would end the process.
		incoming.on('error', () => undefined);
		const pieces = (): AsyncIterable<Uint8Array> => piecesOf({ request, incoming, clock, progressMs });
		return {
			request,
			status,
			statusText: `${status} ${http.STATUS_CODES[status] ?? incoming.statusMessage ?? ''}`.trim(),
			headers: incoming.headers,
			isFromLoopback: isLoopbackAddress(incoming.socket.remoteAddress ?? ''),
			pieces,
			read: (maxBytes) => readStart(pieces(), maxBytes),
			discard: () => {
				// Short bodies are read, which keeps the connection open; of others the connection is closed.
				const bytes = request.method === 'HEAD' ? 0 : Number(incoming.headers['content-length'] ?? Infinity);
				if (bytes <= 64 * 1024) incoming.resume();
				else incoming.destroy();
			},
		};
	}
}

/**
 * Whether the server closed a kept connection just when the request was sent on it. The request then had no effect, and
 * is sent on a new connection, which is not kept yet: this cannot recur forever.
 */
function wasClosedWhileIdle(error: unknown, { method }: HttpRequest, outgoing: http.ClientRequest): boolean {
	const isRepeatable = method === 'GET' || method === 'HEAD';
	return isRepeatable && outgoing.reusedSocket && ['ECONNRESET', 'EPIPE'].includes(codeOf(error));
}

/** A `function` body has no length that Node could know. */
function lengthOf({ body, bodyBytes, method }: HttpRequest): Readonly<Record<string, string>> {
	if (typeof body === 'function')
		return bodyBytes === undefined ? {} : { 'Content-Length': String(bodyBytes) };
	if (body) return { 'Content-Length': String(body.byteLength) };
	return /^(POST|PUT|PATCH)$/.test(method) ? { 'Content-Length': '0' } : {};
}

/** Resolves when the request takes further pieces, or needs none any more. */
function drained(outgoing: http.ClientRequest): Promise<void> {
	const events = ['drain', 'response', 'close'];
	return new Promise((resolve) => {
		const settle = (): void => {
			for (const event of events) outgoing.off(event, settle);
			resolve();
		};
		for (const event of events) outgoing.on(event, settle);
	});
}

interface Incoming {
	readonly request: HttpRequest;
	readonly incoming: IncomingMessage;
	readonly clock: Clock;
	readonly progressMs: number;
}

async function* piecesOf({ request, incoming, clock, progressMs }: Incoming): AsyncGenerator<Uint8Array> {
	const watch = new Deadline(clock, (text) =>
		incoming.destroy(new RegistryError(text, { kind: 'timed-out' })),
	);
	const iterator: AsyncIterator<Uint8Array> = incoming[Symbol.asyncIterator]();
	try {
		for (;;) {
			watch.set(progressMs, `no data for ${progressMs / 1000} s`);
			const next = await iterator.next();
			watch.clear();
			if (next.done) return;
			yield next.value;
		}
	} catch (error) {
		request.signal?.throwIfAborted();
		throw requestError(request, error);
	} finally {
		watch.clear();
		incoming.destroy();
	}
}

async function readStart(pieces: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
	const read: Uint8Array[] = [];
	let bytes = 0;
	for await (const piece of pieces) {
		read.push(piece);
		bytes += piece.byteLength;
		if (bytes >= maxBytes) break;
	}
	return Buffer.concat(read).subarray(0, maxBytes);
}

/** One timer that is set again and again. */
class Deadline {
	readonly #clock: Clock;
	readonly #expire: (text: string) => void;
	#cancel: () => void = () => undefined;

	constructor(clock: Clock, expire: (text: string) => void) {
		this.#clock = clock;
		this.#expire = expire;
	}

	set(delayMs: number, text: string): void {
		this.clear();
		const timer = this.#clock.setTimer(delayMs, () => this.#expire(text));
		this.#cancel = () => timer.cancel();
	}

	clear(): void {
		this.#cancel();
	}
}
