import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { ApiError, badRequest, methodNotAllowed, tooLarge } from '../api/meta/api-error.ts';
import type { ApiWatch } from '../api/meta/transport.ts';
import type { Clock } from '../base/clock.ts';
import { parseJson } from '../base/json-reader.ts';
import type { Answer } from './answer.ts';
import { valueAnswer } from './answer.ts';
import { apiErrorOf, retryAfterSeconds } from './errors.ts';
import { negotiate } from './negotiate.ts';
import { Query } from './query.ts';
import type { Body, Call, Method, ResourceRequest } from './request.ts';
import type { ApiServer } from './server.ts';
import type { Notice } from './watch.ts';
import { errorLine, watchLine } from './watch-events.ts';

/** The largest body that is read, as upstream. */
export const MAX_BODY_BYTES = 3 * 1024 * 1024;

/** How much may wait for a client that reads slowly, before its watch is cut; it then watches anew. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

/** What exchanges need of their listener. */
export interface ExchangeOptions {
	readonly server: ApiServer;
	readonly clock: Clock;
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
		response.once('close', () => this.#over.abort());
		// A client that goes away in the middle is no error of ours.
		response.on('error', () => {});
	}

	/** Ends an answer that would not end by itself; others are left to finish. */
	end(): void {
		if (!this.#streaming) return;
		this.#over.abort();
		this.#response.end();
	}

	/** Answers the request. `authenticate` gets the path, and throws unless the client may pass. Never rejects. */
	async serve(authenticate: (path: string) => void): Promise<void> {
		const warnings: string[] = [];
		try {
			const { path, query } = targetOf(this.#request.url ?? '');
			authenticate(path);
			const call = await this.#call(path, query, warnings);
			const flow = this.#options.server.flowOf(call);
			if (flow.type === 'watch') this.#watch(call, flow.request);
			else if (flow.type === 'stream') await this.#stream(call, flow.contentType);
			else await this.#send(await this.#options.server.answer(call), warnings);
		} catch (error) {
			this.#fail(error, warnings);
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
			warnings,
		};
	}

	async #body(): Promise<Body> {
		const { method, headers } = this.#request;
		if (method === 'GET' || method === 'HEAD') return undefined;
		if (Number(headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge(`limit is ${MAX_BODY_BYTES}`);
		const pieces: Uint8Array[] = [];
		let size = 0;
		for await (const chunk of this.#request) {
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
		const pieces = this.#wantsPretty(answer) ? [pretty(answer)] : answer.bytes();
		const only = Array.isArray(pieces) && pieces.length === 1 ? pieces[0] : undefined;
		this.#head(code, warnings, { ...headers, ...(only && { 'content-length': only.length }) });
		await this.#write(pieces);
	}

	/** Whether a person is likely to read the JSON: it was asked for, or comes to curl and the like. */
	#wantsPretty({ contentType, etag }: Answer): boolean {
		const { url = '', headers } = this.#request;
		if (contentType !== 'application/json' || etag !== undefined) return false;
		const asked = /[?&]pretty=([^&]*)/.exec(url)?.[1];
		return asked ? /^(1|t|true)$/i.test(asked) : /^(curl|Wget)/.test(headers['user-agent'] ?? '');
	}

	/** Sends the pieces as fast as the client takes them. */
	async #write(pieces: Iterable<Uint8Array>): Promise<void> {
		for (const piece of pieces) {
			if (this.#over.signal.aborted) return;
			if (!this.#response.write(piece)) await this.#drained();
		}
		this.#response.end();
	}

	#watch(call: Call, { resource: { codec } }: ResourceRequest): void {
		const format = negotiate(call.accept, call.query);
		let first = true;
		const line = (notice: Notice): Uint8Array => {
			const options = { codec, format, now: this.#options.clock.now(), first };
			first = false;
			return watchLine(notice, options);
		};
		// What comes at once waits until the head is out, and nothing is out if the watch cannot be had.
		const early: Uint8Array[] = [];
		let tell = (lines: readonly Uint8Array[]): void => void early.push(...lines);
		let finish = (): void => {};
		const watch = this.#options.server.openWatch(call, {
			notices: (batch) => tell(batch.map(line)),
			ended: (error) => {
				if (error instanceof ApiError) tell([errorLine(error.status)]);
				finish();
			},
		});
		this.#begin('application/json', call.warnings);
		tell = (lines) => this.#tell(lines, watch);
		finish = () => void this.#response.end();
		if (early.length > 0) this.#tell(early, watch);
		if (this.#over.signal.aborted) watch.stop();
		else this.#over.signal.addEventListener('abort', () => watch.stop(), { once: true });
	}

	#tell(lines: readonly Uint8Array[], watch: ApiWatch): void {
		this.#response.write(Buffer.concat(lines));
		if (this.#response.writableLength <= MAX_WAITING_BYTES) return;
		watch.stop();
		this.#response.destroy();
	}

	async #stream(call: Call, contentType: string): Promise<void> {
		const stream = await this.#options.server.openStream(call);
		this.#begin(contentType, call.warnings);
		try {
			for await (const piece of stream) {
				if (this.#over.signal.aborted) return;
				if (!this.#response.write(piece)) await this.#drained();
			}
			this.#response.end();
		} catch {
			// The head is out; a cut connection is the only way left to say that this is not the end.
			this.#response.destroy();
		}
	}

	#begin(contentType: string, warnings: readonly string[]): void {
		this.#streaming = true;
		this.#head(200, warnings, { 'content-type': contentType, 'cache-control': NO_CACHE });
		this.#response.flushHeaders();
	}

	#fail(error: unknown, warnings: readonly string[]): void {
		// A client that went away while it was sending is no fault of ours.
		if (this.#over.signal.aborted || isReset(error)) return;
		const known = apiErrorOf(error, (fault) => this.#options.onError('http', fault));
		if (this.#response.headersSent) {
			this.#response.destroy();
			return;
		}
		const retryAfter = retryAfterSeconds(known);
		// A body that was not read whole cannot be followed by another request.
		const unread = !this.#request.complete;
		const { contentType, bytes } = valueAnswer(known.code, known.status);
		this.#head(known.code, warnings, {
			'content-type': contentType,
			'cache-control': NO_CACHE,
			...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
			...(unread && { connection: 'close' }),
		});
		this.#response.end(Buffer.concat([...bytes()]));
	}

	#head(code: number, warnings: readonly string[], headers: OutgoingHttpHeaders): void {
		if (warnings.length > 0) this.#response.setHeader('warning', warnings.map(warningHeader));
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

const YEAR_MS = 365 * 24 * 3_600_000;

const NO_CACHE = 'no-cache, private';

const METHODS: readonly string[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] satisfies readonly Method[];

function isMethod(method: string): method is Method {
	return METHODS.includes(method);
}

/** HEAD is a GET whose body Node keeps back. */
function methodOf(method = ''): Method {
	if (method === 'HEAD') return 'GET';
	if (!isMethod(method)) throw methodNotAllowed();
	return method;
}

function isReset(error: unknown): boolean {
	return error instanceof Error && 'code' in error && error.code === 'ECONNRESET';
}

function targetOf(url: string): { readonly path: string; readonly query: Query } {
	if (!url.startsWith('/')) throw badRequest('the request must name a path of this server');
	const mark = url.indexOf('?');
	if (mark < 0) return { path: url, query: new Query() };
	const values: Record<string, string> = {};
	for (const [name, value] of new URLSearchParams(url.slice(mark))) values[name] ??= value;
	return { path: url.slice(0, mark), query: new Query(values) };
}

/** Header values are ASCII without control characters; the rest of a text is shown as `?`. */
function warningHeader(text: string): string {
	const safe = text.replace(/[\\"]/g, '\\$&').replace(/[^\x20-\x7e]/gu, '?');
	return `299 - "${safe}"`;
}

function pretty({ bytes }: Answer): Uint8Array {
	const value = parseJson(Buffer.concat([...bytes()]).toString());
	return Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`);
}
