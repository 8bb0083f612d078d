import type { ClientRequest, IncomingMessage } from 'node:http';
import type { AgentOptions } from 'node:https';
import type { Duplex } from '../../api/contract/duplex.ts';
import type {
	ApiRequest,
	ApiResponse,
	ApiTransport,
	ApiWatch,
	ApiWatchSink,
} from '../../api/contract/transport.ts';
import { ApiError } from '../../api/errors/api-error.ts';
import type { ServerAccess } from '../kubeconfig/kubeconfig.ts';
import { errorOfBody, objectOfAnswer, WatchDecoder } from './http-answers.ts';
import { type DuplexTarget, openDuplex, type UpgradeRefusal } from './http-node-duplex.ts';
import { httpRoute, httpsRoute, type Route } from './http-node-route.ts';
import { ServerUnreachableError } from './server-unreachable.ts';

/**
 * The transport to an API server over HTTPS, with the server's own CA and a bearer token or a client
 * certificate. If the address is a plain HTTP URL, it sends no credentials. Instead of HTTPS it uses the server's Unix
 * socket, if it is given one, until no server listens there.
 *
 * 1. A request that is refused rejects with an ApiError, even if a proxy or another server has answered it.
 *    Without a response it rejects with a {@link ServerUnreachableError}, and after an abort with the
 *    signal's AbortError.
 * 2. Connections are kept alive for later requests. Idle connections do not keep the process alive.
 * 3. A read is retried once if the server has closed the kept connection. A write is never retried, because
 *    the client does not know whether the server has performed it.
 * 4. Every wait for a silent server or a dead connection ends: see {@link Limits}.
 */
export class HttpTransport implements ApiTransport {
	readonly #base: URL;
	readonly #access: ServerAccess;
	readonly #beforeTls: () => void;
	readonly #headers: Readonly<Record<string, string>>;
	readonly #limits: Limits;
	/** The Unix socket of the server. */
	#local: Route | undefined;
	/** The address of the server. Made when it is needed: a command that uses the socket loads no TLS. */
	#remote: Route | undefined;

	constructor(access: ServerAccess, options: HttpTransportOptions = {}) {
		this.#limits = { ...LIMITS, ...options.limits };
		this.#access = access;
		this.#beforeTls = options.beforeTls ?? (() => undefined);
		this.#base = new URL(access.server.replace(/\/+$/, ''));
		if (options.socket !== undefined) this.#local = httpRoute(this.#base, options.socket);
		this.#headers = {
			'User-Agent': options.userAgent ?? 'stint',
			...(this.#isSecure && access.token && { Authorization: `Bearer ${access.token}` }),
		};
	}

	get #isSecure(): boolean {
		return this.#base.protocol === 'https:';
	}

	#address(): Route {
		if (this.#remote) return this.#remote;
		if (this.#isSecure) this.#beforeTls();
		this.#remote = this.#isSecure ? httpsRoute(this.#base, this.#tls()) : httpRoute(this.#base);
		return this.#remote;
	}

	#tls(): AgentOptions {
		return this.#isSecure ? tlsOptions(this.#access) : {};
	}

	async request(request: ApiRequest): Promise<ApiResponse> {
		const { response } = await this.#open(request);
		return {
			code: response.statusCode ?? 200,
			object: objectOfAnswer(await this.#body(response), request),
			warnings: warningsOf(response),
		};
	}

	async watch(request: ApiRequest, sink: ApiWatchSink): Promise<ApiWatch> {
		const query = { ...request.query, watch: 'true' };
		const { response, expectWithin } = await this.#open({ ...request, query });
		// A server sends bookmarks about once a minute. A watch without them may be silent for any time.
		expectWithin(request.query?.allowWatchBookmarks === 'true' ? this.#limits.watchMs : undefined);
		return readWatch(response, sink, (error) => this.#unreachable(error));
	}

	async stream(request: ApiRequest): Promise<AsyncIterable<Uint8Array>> {
		const { response, expectWithin } = await this.#open({ accept: '*/*', ...request });
		// A container may write nothing to its log for any time.
		expectWithin(undefined);
		return this.#bytes(response, request.signal);
	}

	async duplex(request: ApiRequest): Promise<Duplex> {
		const { signal } = request;
		signal?.throwIfAborted();
		try {
			const answer = await this.#connect(request);
			if (!('response' in answer)) return answer;
			const body = await this.#body(answer.response);
			throw errorOfBody(answer.response.statusCode ?? 0, body, request);
		} catch (error) {
			if (error instanceof ApiError || signal?.aborted) throw error;
			throw this.#unreachable(error);
		}
	}

	/** Opens a session by the Unix socket, or at the address of the server. */
	async #connect(request: ApiRequest): Promise<Duplex | UpgradeRefusal> {
		const { signal } = request;
		const url = new URL(this.#target(request), this.#base);
		const target = { url, headers: this.#headers, limits: this.#limits, signal };
		const socket = this.#local?.socket;
		if (socket !== undefined) {
			url.protocol = 'http:';
			try {
				return await this.#openSession({ ...target, tls: {}, socket }, request);
			} catch (error) {
				if (!isUnconnected(error)) throw error;
				this.#local = undefined;
				return this.#connect(request);
			}
		}
		if (this.#isSecure) this.#beforeTls();
		return this.#openSession({ ...target, tls: this.#tls() }, request);
	}

	/** Ports have another protocol than commands. Its module is imported at the first one: few programs need it. */
	async #openSession(target: DuplexTarget, { path, query }: ApiRequest): Promise<Duplex | UpgradeRefusal> {
		if (!path.endsWith('/portforward')) return openDuplex(target);
		const { openPort } = await import('./http-node-ports.ts');
		return openPort(target, [query?.ports ?? ''].flat().join(','));
	}

	/** Closes all connections; pending requests and watches fail. Two-way streams stay open. */
	close(): void {
		this.#local?.close();
		this.#remote?.close();
	}

	async *#bytes(response: IncomingMessage, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
		try {
			yield* response;
		} catch (error) {
			if (!signal?.aborted) throw this.#unreachable(error);
		}
	}

	/** Sends a request; resolves to a successful response, whose body the caller must read. */
	async #open(request: ApiRequest): Promise<Answer> {
		const answer = await this.#exchange(request, request.method === 'GET');
		const code = answer.response.statusCode ?? 0;
		if (code >= 200 && code < 300) return answer;
		throw errorOfBody(code, await this.#body(answer.response), request);
	}

	#exchange(request: ApiRequest, mayRetry: boolean): Promise<Answer> {
		const { method, body, signal, contentType = 'application/json', accept = 'application/json' } = request;
		const payload = body === undefined ? undefined : JSON.stringify(body);
		const headers = {
			...this.#headers,
			Accept: accept,
			...(payload !== undefined && {
				'Content-Type': contentType,
				'Content-Length': String(Buffer.byteLength(payload)),
			}),
		};
		const local = this.#local;
		const route = local ?? this.#address();
		return new Promise((resolve, reject) => {
			const sent = route.send({ path: this.#target(request), method, headers, ...(signal && { signal }) });
			const expectWithin = endWhenSilent(sent, this.#limits);
			let isAnswered = false;
			sent.on('response', (response) => {
				isAnswered = true;
				resolve({ response, expectWithin });
			});
			sent.on('error', (error) => {
				// After the head of the response, the reader of the body gets the error from the stream.
				if (isAnswered) return;
				if (signal?.aborted) reject(error);
				else if (local && isUnconnected(error)) {
					// The server was killed and has left its socket: nothing has been sent, so a write can be repeated.
					this.#local = undefined;
					resolve(this.#exchange(request, mayRetry));
				} else if (mayRetry && sent.reusedSocket) resolve(this.#exchange(request, false));
				else reject(this.#unreachable(error));
			});
			sent.end(payload);
		});
	}

	/** The path of a request with its query. */
	#target({ path, query }: ApiRequest): string {
		const url = new URL(this.#base);
		url.pathname = `${url.pathname.replace(/\/$/, '')}${path}`;
		const pairs = Object.entries(query ?? {}).flatMap(([name, value]) =>
			typeof value === 'string' ? [[name, value]] : value.map((each) => [name, each]),
		);
		if (pairs.length > 0) url.search = new URLSearchParams(pairs).toString();
		return `${url.pathname}${url.search}`;
	}

	async #body(response: IncomingMessage): Promise<string> {
		const chunks: Uint8Array[] = [];
		try {
			for await (const chunk of response) chunks.push(chunk);
		} catch (error) {
			throw this.#unreachable(error);
		}
		return Buffer.concat(chunks).toString('utf8');
	}

	#unreachable(cause: unknown): Error {
		if (cause instanceof Error && cause.name === 'AbortError') return cause;
		return new ServerUnreachableError(this.#base.host, cause);
	}
}

/** Settings of an {@link HttpTransport}. */
export interface HttpTransportOptions {
	/** The User-Agent header; `stint` by default. */
	readonly userAgent?: string;
	/**
	 * The path of the server's Unix socket. The caller has checked that no other user can have replaced it: this
	 * transport sends the token to it.
	 */
	readonly socket?: string;
	/** Called before the first TLS connection, for settings of the process. */
	readonly beforeTls?: () => void;
	readonly limits?: Partial<Limits>;
}

/** Maximum times, in milliseconds, for which a server may be silent before its connection counts as dead. */
export interface Limits {
	/** For opening the connection: 30 s by default, as in client-go. */
	readonly connectMs: number;
	/**
	 * For the response and between its parts: 60 s by default, the maximum time of a request in upstream's
	 * server.
	 */
	readonly answerMs: number;
	/**
	 * Between the events of a watch with bookmarks, which a server sends about once a minute: 150 s by default.
	 */
	readonly watchMs: number;
	/**
	 * Before the kernel sends the first TCP keep-alive probe on an idle connection: 30 s by default, as in
	 * client-go.
	 */
	readonly probeMs: number;
}

const LIMITS: Limits = { connectMs: 30_000, answerMs: 60_000, watchMs: 150_000, probeMs: 30_000 };

interface Answer {
	readonly response: IncomingMessage;
	/**
	 * Sets the maximum time in milliseconds between two pieces of data from now on; undefined removes the
	 * limit.
	 */
	expectWithin(ms: number | undefined): void;
}

/**
 * Ends a request and its response with an error when the server is silent for longer than `limits` allow.
 * The kernel's keep-alive probes alone detect a machine that has failed, but neither a server that hangs nor
 * a proxy that has lost its connection to the server.
 */
function endWhenSilent(sent: ClientRequest, limits: Limits): Answer['expectWithin'] {
	let limit = limits.connectMs;
	const expectWithin = (ms: number | undefined): void => {
		limit = ms ?? 0;
		sent.socket?.setTimeout(limit);
	};
	let response: IncomingMessage | undefined;
	sent.on('response', (received) => {
		response = received;
	});
	sent.on('socket', (socket) => {
		socket.setKeepAlive(true, limits.probeMs);
		const onTimeout = (): void => {
			const error = new Error(`no answer for ${limit / 1000} s`);
			if (response) response.destroy(error);
			else sent.destroy(error);
		};
		socket.on('timeout', onTimeout);
		// A kept connection is used for other requests, whose timeouts must not end this one.
		sent.once('close', () => socket.off('timeout', onTimeout));
		const connected = (): void => expectWithin(limits.answerMs);
		if (!socket.connecting) return connected();
		socket.setTimeout(limit);
		socket.once('encrypted' in socket ? 'secureConnect' : 'connect', connected);
	});
	return expectWithin;
}

/** Whether an error says that a connection could not be opened. */
export function isUnconnected(error: unknown): boolean {
	return error instanceof Error && 'syscall' in error && error.syscall === 'connect';
}

/** What a connection to the server of a kubeconfig needs beyond its address. */
export function tlsOptions(access: ServerAccess): AgentOptions {
	return {
		...(!access.skipTlsVerify && { ca: access.certificateAuthority ?? publicAuthorities() }),
		...(access.clientCertificate && { cert: access.clientCertificate }),
		...(access.clientKey && { key: access.clientKey }),
		...(access.tlsServerName && { servername: access.tlsServerName }),
		...(access.skipTlsVerify && { rejectUnauthorized: false }),
	};
}

/**
 * The certificate authorities of the system and of $NODE_EXTRA_CA_CERTS. kubectl trusts those of the system too;
 * if the system has none, the ones that are built into Node are used.
 */
function publicAuthorities(): string[] {
	const { getCACertificates } = process.getBuiltinModule('node:tls');
	const system = getCACertificates('system');
	return [...(system.length > 0 ? system : getCACertificates('bundled')), ...getCACertificates('extra')];
}

/** The texts of Warning headers: `299 - "text"`. */
function warningsOf(response: IncomingMessage): readonly string[] {
	const texts: string[] = [];
	for (const latin of response.headersDistinct.warning ?? []) {
		// The headers are UTF-8, but Node decodes them as Latin-1.
		const header = Buffer.from(latin, 'latin1').toString();
		for (const [, text = ''] of header.matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g))
			texts.push(text.replace(/\\(.)/g, '$1'));
	}
	return texts;
}

function readWatch(
	response: IncomingMessage,
	sink: ApiWatchSink,
	broken: (cause: unknown) => Error,
): ApiWatch {
	const decoder = new WatchDecoder();
	let over = false;
	const finish = (error?: Error): void => {
		if (over) return;
		over = true;
		response.destroy();
		sink.ended(error);
	};
	const read = (chunk: Uint8Array): void => {
		const { events, failure } = decoder.push(chunk);
		if (events.length > 0) sink.events(events);
		if (failure) finish(failure);
	};
	response.on('data', (chunk: Uint8Array) => {
		if (over) return;
		try {
			read(chunk);
		} catch (error) {
			finish(error instanceof Error ? error : new Error(String(error)));
		}
	});
	response.on('end', () => finish(decoder.unfinished ? broken('unexpected EOF') : undefined));
	response.on('error', (error) => finish(broken(error)));
	return {
		stop: () => {
			over = true;
			response.destroy();
		},
	};
}
