import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { User } from '../../api/contract/user.ts';
import { type ApiError, badRequest, methodNotAllowed, tooLarge } from '../../api/errors/api-error.ts';
import type { Clock } from '../../base/clock.ts';
import { codeOf } from '../../base/files/system-error.ts';
import type { RunQueue } from '../../base/queue/run-queue.ts';
import { nextTurn } from '../../base/turn.ts';
import { apiErrorOf, retryAfterSeconds } from '../errors.ts';
import { isProxyPath } from '../proxy/proxy-target.ts';
import type { Body, Call, Method, ResourceRequest } from '../request.ts';
import type { Answer } from '../respond.ts';
import { valueAnswer } from '../respond.ts';
import type { ApiServer } from '../server.ts';
import { WatchLines } from '../verbs/watch-events.ts';
import { indented } from './json-indent.ts';
import { type AcceptClause, negotiate, parseAccept } from './negotiate.ts';
import { targetOf } from './request-target.ts';
import type { SharedLines } from './shared-lines.ts';
import type { SlowClient, SlowClients } from './slow-clients.ts';
import { discardBody } from './unfinished-requests.ts';
import { warningHeaders } from './warning-headers.ts';
import { HttpWatch } from './watch-stream.ts';

/** Maximum size of a request body, as upstream (MaxRequestBodyBytes). */
export const MAX_BODY_BYTES = 3 * 1024 * 1024;

/** Dependencies of exchanges, which the listener provides. */
export interface ExchangeOptions {
	readonly server: ApiServer;
	readonly clock: Clock;
	/** Runs the steps of all watches of the listener one after the other. */
	readonly queue: RunQueue;
	readonly slowClients: SlowClients;
	readonly sharedLines: SharedLines;
	/** Called with unexpected errors, which are logged; `where` names the component. */
	readonly onError: (where: string, error: unknown) => void;
}

/**
 * One HTTP request and its response: converts bytes to calls of the server, and results to bytes.
 *
 * 1. `serve` never rejects: every failure becomes an error response or a closed connection.
 * 2. A response is written no faster than the client reads it. What waits for the client is memory of the
 *    server, and {@link SlowClients} limits it.
 * 3. The response does not end while the request body is still arriving (within limits): the client would receive a connection
 *    reset in its place.
 */
export class HttpExchange {
	readonly #options: ExchangeOptions;
	readonly #request: IncomingMessage;
	readonly #response: ServerResponse;
	/** Aborts when the connection is closed, or when the server ends a stream. */
	readonly #abortController = new AbortController();
	#streaming: 'watch' | 'bytes' | undefined;
	#isProxied = false;

	constructor(options: ExchangeOptions, request: IncomingMessage, response: ServerResponse) {
		this.#options = options;
		this.#request = request;
		this.#response = response;
		response.once('close', () => this.#abortController.abort(OVER));
		// A client that closes its connection during a response is not an error of the server.
		response.on('error', () => {});
	}

	/** Whether the request is passed on to a Pod. */
	get isProxied(): boolean {
		return this.#isProxied;
	}

	/** Whether the head of the response has been sent. */
	get isAnswering(): boolean {
		return this.#response.headersSent;
	}

	/**
	 * Ends a watch or a log stream, which would not end by itself. Other responses are left to finish. A client opens a
	 * watch again after its end. The regular end of a log stream, however, means the end of the log, so that the connection
	 * is closed instead, after what was written.
	 */
	end(): void {
		if (this.#streaming === undefined) return;
		this.#abortController.abort(OVER);
		if (this.#streaming === 'watch') this.#response.end();
		else this.#response.socket?.destroySoon();
	}

	/**
	 * Serves the request. Calls `authenticate` with the path: it returns the user, or throws an ApiError (or
	 * rejects with one). Never rejects.
	 */
	async serve(authenticate: (path: string) => User | Promise<User>): Promise<void> {
		const warnings: string[] = [];
		try {
			const { method } = this.#request;
			const { path, query } = targetOf(this.#request);
			const known = authenticate(path);
			const user = known instanceof Promise ? await known : known;
			if (isProxyPath(path)) {
				await this.#proxy({ user, path, query, warnings });
				return;
			}
			if (method === 'HEAD' && !takesHead(path)) throw methodNotAllowed();
			const call = await this.#call({ user, path, query, warnings });
			const flow = this.#options.server.flowOf(call);
			if (flow.type === 'duplex') await this.#options.server.openDuplex(call, refuseWithoutUpgrade);
			else if (flow.type === 'watch') this.#watch(call, flow.request);
			else if (flow.type === 'stream') await this.#stream(call, flow.contentType);
			else await this.#send(await this.#options.server.answer(call), warnings);
		} catch (error) {
			await this.#fail(error, warnings);
		}
	}

	async #call(target: Target): Promise<Call> {
		return { ...this.#callWithoutBody(target, methodOf(this.#request.method)), body: await this.#body() };
	}

	/** The call without its body. */
	#callWithoutBody(target: Target, method: Method): Call {
		const { headers } = this.#request;
		return {
			...target,
			method,
			body: undefined,
			contentType: headers['content-type'] ?? '',
			accept: headers.accept ?? '',
			signal: this.#abortController.signal,
			pause: nextTurn,
		};
	}

	/** Passes the request on to a Pod: see proxy/proxy-answer.ts. */
	async #proxy(target: Target): Promise<void> {
		const { method = '' } = this.#request;
		if (!isProxiedMethod(method)) throw methodNotAllowed();
		const call = this.#callWithoutBody(target, method);
		const { target: backend, end } = await this.#options.server.openProxy(call);
		this.#isProxied = true;
		// Loaded at the first request: most servers never pass one on.
		const { proxyRequest } = await import('../proxy/proxy-answer.ts');
		const write = (piece: Uint8Array): Promise<void> => this.#writePiece(piece);
		const { signal } = this.#abortController;
		try {
			end(await proxyRequest(backend, { request: this.#request, response: this.#response, signal, write }));
		} catch (error) {
			const { headersSent, statusCode } = this.#response;
			end(headersSent ? statusCode : 503);
			if (!headersSent) throw error;
			// Only a closed connection can tell the client that the answer of the Pod has broken off.
			this.#response.destroy();
			return;
		}
		if (this.#request.complete) this.#response.end();
		else discardBody(this.#request, this.#options.clock, () => void this.#response.end());
	}

	async #body(): Promise<Body> {
		const { method, headers } = this.#request;
		if (method === 'GET' || method === 'HEAD') return undefined;
		if (Number(headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge(`limit is ${MAX_BODY_BYTES}`);
		const pieces: Uint8Array[] = [];
		let size = 0;
		// The request is not destroyed if it is too long: a client that is still sending would not receive the
		// error response.
		for await (const chunk of this.#request.iterator({ destroyOnReturn: false })) {
			const piece: Uint8Array = chunk;
			size += piece.length;
			if (size > MAX_BODY_BYTES) throw tooLarge(`limit is ${MAX_BODY_BYTES}`);
			pieces.push(piece);
		}
		return { type: 'bytes', bytes: Buffer.concat(pieces) };
	}

	async #send(answer: Answer, warnings: readonly string[]): Promise<void> {
		const { code, contentType, etag, immutable } = answer;
		const headers: OutgoingHttpHeaders = {
			'content-type': contentType,
			'cache-control': cacheControlOf(answer),
			...(etag && { etag, vary: 'Accept' }),
			...(immutable && { expires: new Date(this.#options.clock.now() + YEAR_MS).toUTCString() }),
		};
		if (etag !== undefined && this.#request.headers['if-none-match'] === etag) {
			this.#head(304, warnings, headers);
			this.#response.end();
			return;
		}
		const bytes = answer.bytes();
		const pieces = this.#isPretty(answer) ? indented(bytes) : bytes;
		const only = Array.isArray(pieces) && pieces.length === 1 ? pieces[0] : undefined;
		this.#head(code, warnings, { ...headers, ...(only && { 'content-length': only.length }) });
		await this.#write(pieces);
	}

	/**
	 * Whether to indent the JSON for people: if the client asked for it, or is a browser, curl or the like
	 * (upstream: isPrettyPrint in responsewriters).
	 */
	#isPretty({ contentType, etag }: Answer): boolean {
		const { url = '', headers } = this.#request;
		if (contentType !== 'application/json' || etag !== undefined) return false;
		const { accept = '', 'user-agent': agent = '' } = headers;
		const byAccept = ({ parameters }: AcceptClause): boolean => parameters.get('pretty') === '1';
		if (accept.includes('pretty') && parseAccept(accept).some(byAccept)) return true;
		const asked = /[?&]pretty=([^&]+)/.exec(url)?.[1];
		return asked ? /^(1|t|true)$/i.test(asked) : /^(curl|Wget|Mozilla\/5\.0)/.test(agent);
	}

	/**
	 * Sends the pieces as fast as the client reads them, with an event loop turn between them for other
	 * requests. The last 4 KiB are held back until the client has read the rest: a client that has the complete
	 * response sends its next request at once, and Node resets a connection on which a body arrives while much
	 * output waits.
	 */
	async #write(pieces: Iterable<Uint8Array>): Promise<void> {
		let kept: Uint8Array | undefined;
		for (const piece of pieces) {
			if (kept) {
				await this.#writePiece(kept);
				await nextTurn();
			}
			if (this.#abortController.signal.aborted) return;
			const cut = Math.max(0, piece.length - TAIL_BYTES);
			if (cut > 0) await this.#writePiece(piece.subarray(0, cut));
			kept = piece.subarray(cut);
		}
		this.#response.end(kept);
	}

	/** Writes a piece and resolves once the client may be sent the next one. */
	async #writePiece(piece: Uint8Array): Promise<void> {
		if (!this.#response.write(piece)) await this.#waitUntilRead();
	}

	/**
	 * Resolves once the client has read what waits for it or has disconnected. {@link SlowClients} disconnects
	 * a client that reads nothing for too long.
	 */
	async #waitUntilRead(): Promise<void> {
		const { slowClients } = this.#options;
		const response = this.#response;
		const client: SlowClient = {
			get unreadBytes() {
				return response.writableLength;
			},
			disconnect: () => void response.destroy(),
		};
		slowClients.add(client);
		await this.#drained();
		slowClients.remove(client);
	}

	#watch(call: Call, { resource: { codec } }: ResourceRequest): void {
		const { clock, queue, slowClients, sharedLines, server } = this.#options;
		const lines = new WatchLines(codec, negotiate(call.accept, call.query), sharedLines);
		const errorOf = (error: unknown): ApiError => this.#errorOf(error);
		const options = { response: this.#response, lines, clock, queue, slowClients, errorOf };
		const watch = new HttpWatch(options, (wake) => server.readWatch(call, wake));
		// The watch sends its first line in the next event loop turn, so the head goes out first. If the watch
		// cannot be opened, readWatch has thrown by now, and an error response is still possible.
		this.#startStream('watch', 'application/json', call.warnings);
		const { signal } = this.#abortController;
		if (signal.aborted) watch.stop();
		else signal.addEventListener('abort', () => watch.stop(), { once: true });
	}

	async #stream(call: Call, contentType: string): Promise<void> {
		const stream = await this.#options.server.openStream(call);
		this.#startStream('bytes', contentType, call.warnings);
		try {
			for await (const piece of stream) {
				if (this.#abortController.signal.aborted) return;
				await this.#writePiece(piece);
				await nextTurn();
			}
			// The log of a stream that was aborted has more: see end().
			if (!this.#abortController.signal.aborted) this.#response.end();
		} catch (error) {
			// Once the client has disconnected, an error may be a consequence of that, so it is not logged.
			if (!this.#abortController.signal.aborted) this.#errorOf(error);
			// The head with status 200 has been sent. Only a closed connection can tell the client that the stream
			// is incomplete.
			this.#response.destroy();
		}
	}

	#startStream(what: 'watch' | 'bytes', contentType: string, warnings: readonly string[]): void {
		this.#streaming = what;
		this.#head(200, warnings, { 'content-type': contentType, 'cache-control': NO_CACHE });
		this.#response.flushHeaders();
	}

	async #fail(error: unknown, warnings: readonly string[]): Promise<void> {
		// A client that disconnected while it was sending is not an error of the server.
		if (this.#abortController.signal.aborted || isReset(error)) return;
		const known = this.#errorOf(error);
		if (this.#response.headersSent) {
			this.#response.destroy();
			return;
		}
		const retryAfter = retryAfterSeconds(known);
		// After a body that was not read to its end, no other request can follow on the connection.
		const unread = !this.#request.complete;
		const answer = valueAnswer(known.code, known.status);
		const { contentType } = answer;
		const bytes = Buffer.concat([...(this.#isPretty(answer) ? indented(answer.bytes()) : answer.bytes())]);
		this.#head(known.code, warnings, {
			'content-type': contentType,
			'cache-control': NO_CACHE,
			'content-length': bytes.length,
			...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
			...(unread && { connection: 'close' }),
		});
		if (!unread) return await this.#write([bytes]);
		this.#response.write(bytes);
		discardBody(this.#request, this.#options.clock, () => void this.#response.end());
	}

	#errorOf(error: unknown): ApiError {
		return apiErrorOf(error, (fault) => this.#options.onError('http', fault));
	}

	#head(code: number, warnings: readonly string[], headers: OutgoingHttpHeaders): void {
		if (warnings.length > 0) this.#response.setHeader('warning', warningHeaders(warnings));
		this.#response.writeHead(code, { ...headers, 'x-content-type-options': 'nosniff' });
	}

	/** Resolves once the response has drained or the exchange is over. */
	#drained(): Promise<void> {
		if (this.#abortController.signal.aborted) return Promise.resolve();
		return new Promise((resolve) => {
			const done = (): void => {
				this.#response.off('drain', done);
				this.#abortController.signal.removeEventListener('abort', done);
				resolve();
			};
			this.#response.on('drain', done);
			this.#abortController.signal.addEventListener('abort', done);
		});
	}
}

/**
 * The reason of aborted signals. It is made once: an error with its stack costs more than the rest of a short
 * request.
 */
const OVER = new Error('the request is over');

/** Less than the high-water mark of a socket, so that writing the tail never has to wait. */
const TAIL_BYTES = 4096;

const YEAR_MS = 365 * 24 * 3_600_000;

const NO_CACHE = 'no-cache, private';

function cacheControlOf({ etag, immutable, maxAgeSeconds }: Answer): string {
	if (maxAgeSeconds !== undefined) return `public, max-age=${maxAgeSeconds}`;
	if (immutable) return 'public, immutable';
	return etag ? 'public' : NO_CACHE;
}

/** The parts of a call that do not come from the message. */
type Target = Pick<Call, 'user' | 'path' | 'query' | 'warnings'>;

const METHODS: readonly string[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] satisfies readonly Method[];

function isProxiedMethod(method: string): method is Method {
	return isMethod(method) || method === 'HEAD' || method === 'OPTIONS';
}

function isMethod(method: string): method is Method {
	return METHODS.includes(method);
}

function refuseWithoutUpgrade(): never {
	throw badRequest('Upgrade request required');
}

/** Whether a path supports HEAD. Upstream's resources, discovery and version do not. */
function takesHead(path: string): boolean {
	return /^\/($|(healthz|livez|readyz)($|\/)|metrics$|openapi\/)/.test(path);
}

/** A HEAD request is served as GET; Node sends no body for it. */
function methodOf(method = ''): Method {
	if (method === 'HEAD') return 'GET';
	if (!isMethod(method)) throw methodNotAllowed();
	return method;
}

function isReset(error: unknown): boolean {
	return codeOf(error) === 'ECONNRESET';
}
