import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { type ApiError, badRequest, methodNotAllowed, tooLarge } from '../api/meta/api-error.ts';
import type { Clock } from '../base/clock.ts';
import type { RunQueue } from '../base/run-queue.ts';
import { codeOf } from '../base/system-error.ts';
import { nextTurn } from '../base/turn.ts';
import type { Answer } from './answer.ts';
import { valueAnswer } from './answer.ts';
import { apiErrorOf, retryAfterSeconds } from './errors.ts';
import { HttpWatch } from './http-watch.ts';
import { indented } from './json-indent.ts';
import { type AcceptClause, negotiate, parseAccept } from './negotiate.ts';
import { Query } from './query.ts';
import type { Body, Call, Method, ResourceRequest } from './request.ts';
import type { ApiServer } from './server.ts';
import type { SharedLines } from './shared-lines.ts';
import type { SlowClient, SlowClients } from './slow-clients.ts';
import { warningHeaders } from './warning-headers.ts';
import { WatchLines } from './watch-events.ts';

/** The largest body that is read, as upstream. */
export const MAX_BODY_BYTES = 3 * 1024 * 1024;

/** How much of a body is read and dropped after an answer that did not wait for it, and for how long. */
const DISCARD_BYTES = 64 * 1024 * 1024;
const DISCARD_MS = 2000;

/** What exchanges need of their listener. */
export interface ExchangeOptions {
	readonly server: ApiServer;
	readonly clock: Clock;
	/** The watches of all exchanges wait here for their turn. */
	readonly queue: RunQueue;
	readonly slowClients: SlowClients;
	readonly sharedLines: SharedLines;
	/** Told of faults that no request should meet; `where` says in which part. */
	readonly onError: (where: string, error: unknown) => void;
}

/** One request over HTTP and its answer: bytes to calls, and back. */
export class HttpExchange {
	readonly #options: ExchangeOptions;
	readonly #request: IncomingMessage;
	readonly #response: ServerResponse;
	/** Aborts when the client is gone, or we are. */
	readonly #over = new AbortController();
	#streaming = false;

	constructor(options: ExchangeOptions, request: IncomingMessage, response: ServerResponse) {
		this.#options = options;
		this.#request = request;
		this.#response = response;
		response.once('close', () => this.#over.abort(OVER));
		// A client that goes away in the middle is no error of ours.
		response.on('error', () => {});
	}

	/** Ends an answer that would not end by itself; others are left to finish. */
	end(): void {
		if (!this.#streaming) return;
		this.#over.abort(OVER);
		this.#response.end();
	}

	/** Answers the request. `authenticate` gets the path, and throws unless the client may pass. Never rejects. */
	async serve(authenticate: (path: string) => void): Promise<void> {
		const warnings: string[] = [];
		try {
			const { rawHeaders, url = '', method } = this.#request;
			// What comes before the server and the server could each believe another one.
			if (countOf(rawHeaders, 'host') > 1) throw badRequest('too many Host headers');
			const { path, query } = targetOf(url);
			authenticate(path);
			if (method === 'HEAD' && !takesHead(path)) throw methodNotAllowed();
			const call = await this.#call(path, query, warnings);
			const flow = this.#options.server.flowOf(call);
			if (flow.type === 'watch') this.#watch(call, flow.request);
			else if (flow.type === 'stream') await this.#stream(call, flow.contentType);
			else await this.#send(await this.#options.server.answer(call), warnings);
		} catch (error) {
			await this.#fail(error, warnings);
		}
	}

	async #call(path: string, query: Query, warnings: string[]): Promise<Call> {
		const { headers } = this.#request;
		return {
			method: methodOf(this.#request.method),
			path,
			query,
			body: await this.#body(),
			contentType: headers['content-type'] ?? '',
			accept: headers.accept ?? '',
			signal: this.#over.signal,
			pause: nextTurn,
			warnings,
		};
	}

	async #body(): Promise<Body> {
		const { method, headers } = this.#request;
		if (method === 'GET' || method === 'HEAD') return undefined;
		if (Number(headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge(`limit is ${MAX_BODY_BYTES}`);
		const pieces: Uint8Array[] = [];
		let size = 0;
		// Not destroyed when it is too long: a client that is still sending has to get its answer.
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
			'cache-control': immutable ? 'public, immutable' : etag ? 'public' : NO_CACHE,
			...(etag && { etag, vary: 'Accept' }),
			...(immutable && { expires: new Date(this.#options.clock.now() + YEAR_MS).toUTCString() }),
		};
		if (etag !== undefined && this.#request.headers['if-none-match'] === etag) {
			this.#head(304, warnings, headers);
			this.#response.end();
			return;
		}
		const bytes = answer.bytes();
		const pieces = this.#wantsPretty(answer) ? indented(bytes) : bytes;
		const only = Array.isArray(pieces) && pieces.length === 1 ? pieces[0] : undefined;
		this.#head(code, warnings, { ...headers, ...(only && { 'content-length': only.length }) });
		await this.#write(pieces);
	}

	/** Whether a person is likely to read the JSON: it was asked for, or comes to curl and the like. */
	#wantsPretty({ contentType, etag }: Answer): boolean {
		const { url = '', headers } = this.#request;
		if (contentType !== 'application/json' || etag !== undefined) return false;
		const { accept = '', 'user-agent': agent = '' } = headers;
		const byAccept = ({ parameters }: AcceptClause): boolean => parameters.get('pretty') === '1';
		if (accept.includes('pretty') && parseAccept(accept).some(byAccept)) return true;
		const asked = /[?&]pretty=([^&]+)/.exec(url)?.[1];
		return asked ? /^(1|t|true)$/i.test(asked) : /^(curl|Wget|Mozilla\/5\.0)/.test(agent);
	}

	/**
	 * Sends the pieces as fast as the client takes them; other work has its turn after each. The end of the
	 * body is kept back until the rest has been taken: a client that has the whole answer sends its next
	 * request at once, and Node resets a connection on which a body comes while much waits to be written.
	 */
	async #write(pieces: Iterable<Uint8Array>): Promise<void> {
		let kept: Uint8Array | undefined;
		for (const piece of pieces) {
			if (kept) {
				await this.#put(kept);
				await nextTurn();
			}
			if (this.#over.signal.aborted) return;
			const cut = Math.max(0, piece.length - TAIL_BYTES);
			if (cut > 0) await this.#put(piece.subarray(0, cut));
			kept = piece.subarray(cut);
		}
		this.#response.end(kept);
	}

	/** Sends a piece; resolves once the client may be sent the next one. */
	async #put(piece: Uint8Array): Promise<void> {
		if (!this.#response.write(piece)) await this.#taken();
	}

	/** Resolves once the client has taken what waits for it, or is gone: cut, if it takes nothing for long. */
	async #taken(): Promise<void> {
		const { slowClients } = this.#options;
		const response = this.#response;
		const client: SlowClient = {
			get unreadBytes() {
				return response.writableLength;
			},
			cut: () => void response.destroy(),
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
		// Nothing is sent before the next turn, so the head comes first; a watch that can't be had throws before it.
		this.#begin('application/json', call.warnings);
		const { signal } = this.#over;
		if (signal.aborted) watch.stop();
		else signal.addEventListener('abort', () => watch.stop(), { once: true });
	}

	async #stream(call: Call, contentType: string): Promise<void> {
		const stream = await this.#options.server.openStream(call);
		this.#begin(contentType, call.warnings);
		try {
			for await (const piece of stream) {
				if (this.#over.signal.aborted) return;
				await this.#put(piece);
				await nextTurn();
			}
			this.#response.end();
		} catch (error) {
			// What fails once the client is gone may have failed because of that.
			if (!this.#over.signal.aborted) this.#errorOf(error);
			// The head is out; a cut connection is the only way left to say that this is not the end.
			this.#response.destroy();
		}
	}

	#begin(contentType: string, warnings: readonly string[]): void {
		this.#streaming = true;
		this.#head(200, warnings, { 'content-type': contentType, 'cache-control': NO_CACHE });
		this.#response.flushHeaders();
	}

	async #fail(error: unknown, warnings: readonly string[]): Promise<void> {
		// A client that went away while it was sending is no fault of ours.
		if (this.#over.signal.aborted || isReset(error)) return;
		const known = this.#errorOf(error);
		if (this.#response.headersSent) {
			this.#response.destroy();
			return;
		}
		const retryAfter = retryAfterSeconds(known);
		// A body that was not read whole cannot be followed by another request.
		const unread = !this.#request.complete;
		const answer = valueAnswer(known.code, known.status);
		const { contentType } = answer;
		const bytes = Buffer.concat([...(this.#wantsPretty(answer) ? indented(answer.bytes()) : answer.bytes())]);
		this.#head(known.code, warnings, {
			'content-type': contentType,
			'cache-control': NO_CACHE,
			'content-length': bytes.length,
			...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
			...(unread && { connection: 'close' }),
		});
		if (!unread) return await this.#write([bytes]);
		this.#response.write(bytes);
		this.#discardBody(() => void this.#response.end());
	}

	/**
	 * Reads what a client still sends after its answer, since a connection that is closed before is reset,
	 * and the answer lost. Calls `done` at its end, or when the client has sent or waited too long.
	 */
	#discardBody(done: () => void): void {
		let bytes = 0;
		const over = (): void => {
			timer.cancel();
			done();
		};
		const timer = this.#options.clock.setTimer(DISCARD_MS, over);
		this.#request.on('data', (piece: Uint8Array) => {
			bytes += piece.length;
			if (bytes > DISCARD_BYTES) over();
		});
		this.#request.once('close', over).once('end', over);
	}

	#errorOf(error: unknown): ApiError {
		return apiErrorOf(error, (fault) => this.#options.onError('http', fault));
	}

	#head(code: number, warnings: readonly string[], headers: OutgoingHttpHeaders): void {
		if (warnings.length > 0) this.#response.setHeader('warning', warningHeaders(warnings));
		this.#response.writeHead(code, { ...headers, 'x-content-type-options': 'nosniff' });
	}

	/** Resolves once the client has taken what waits for it, or is gone. */
	#drained(): Promise<void> {
		if (this.#over.signal.aborted) return Promise.resolve();
		return new Promise((resolve) => {
			const done = (): void => {
				this.#response.off('drain', done);
				this.#over.signal.removeEventListener('abort', done);
				resolve();
			};
			this.#response.on('drain', done);
			this.#over.signal.addEventListener('abort', done);
		});
	}
}

/** Why signals abort: made once, since an error with its stack costs more than the rest of a short request. */
const OVER = new Error('the request is over');

/** Less than what a socket buffers before it asks its writer to wait. */
const TAIL_BYTES = 4096;

const YEAR_MS = 365 * 24 * 3_600_000;

const NO_CACHE = 'no-cache, private';

const METHODS: readonly string[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] satisfies readonly Method[];

function isMethod(method: string): method is Method {
	return METHODS.includes(method);
}

/** How often a header was sent; the list has names and values in turn. */
function countOf(rawHeaders: readonly string[], name: string): number {
	return rawHeaders.filter((text, index) => index % 2 === 0 && text.toLowerCase() === name).length;
}

/** Whether a path takes HEAD. Upstream's resources, discovery and version do not. */
function takesHead(path: string): boolean {
	return /^\/($|(healthz|livez|readyz)($|\/)|metrics$|openapi\/)/.test(path);
}

/** HEAD is a GET whose body Node keeps back. */
function methodOf(method = ''): Method {
	if (method === 'HEAD') return 'GET';
	if (!isMethod(method)) throw methodNotAllowed();
	return method;
}

function isReset(error: unknown): boolean {
	return codeOf(error) === 'ECONNRESET';
}

function targetOf(url: string): { readonly path: string; readonly query: Query } {
	if (!url.startsWith('/')) throw badRequest('the request must name a path of this server');
	const mark = url.indexOf('?');
	if (mark < 0) return { path: url, query: new Query() };
	const values: Record<string, string> = {};
	for (const [name, value] of new URLSearchParams(url.slice(mark))) values[name] ??= value;
	return { path: url.slice(0, mark), query: new Query(values) };
}
