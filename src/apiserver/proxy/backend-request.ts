import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Duplex as NodeStream } from 'node:stream';
import { ApiError, serviceUnavailable } from '../../api/errors/api-error.ts';
import { codeOf } from '../../base/files/system-error.ts';
import { messageOf } from '../../base/message-of.ts';
import { forwardedHeaders, valuesOf } from '../../plan/proxy/proxied-headers.ts';
import { cleanPath, proxiedPath } from '../../plan/proxy/proxied-path.ts';
import { splitTarget } from '../http/request-target.ts';
import { streamOf } from './duplex-stream.ts';
import type { ProxyTarget } from './proxy-target.ts';

/** The largest head of an answer, in bytes. */
const MAX_HEAD_BYTES = 64 * 1024;
/** How many informational answers may come before the answer: a backend could send them for ever. Go allows five. */
const MAX_INFORMATIONAL = 5;
const MIN_STATUS = 100;

/** A request to a backend, whose head has been sent. */
export interface BackendRequest {
	/** The caller writes the body and ends it. */
	readonly sent: ClientRequest;
	/** Resolves to the answer. Rejects with the error of the connection ({@link unreachable} words it). */
	readonly answer: Promise<BackendAnswer>;
	/** Closes the connection, in every case. */
	close(): void;
}

/** What a backend answers. */
export type BackendAnswer =
	| { readonly type: 'response'; readonly response: IncomingMessage }
	/** The connection is that of another protocol from now on; `head` are its first bytes. */
	| {
			readonly type: 'upgrade';
			readonly response: IncomingMessage;
			readonly socket: NodeStream;
			readonly head: Buffer;
	  };

/**
 * Connects to the backend and sends it the head of a request. Rejects like {@link ProxyTarget.connect}. The answer waits
 * for nothing but the backend, until `signal` aborts: then the connection is closed.
 */
export async function sendToBackend(
	target: ProxyTarget,
	request: IncomingMessage,
	{ isUpgrade, signal }: { readonly isUpgrade: boolean; readonly signal: AbortSignal },
): Promise<BackendRequest> {
	const session = await target.connect();
	const raw = streamOf(session);
	// The requests get the errors of the connection too.
	raw.on('error', () => undefined);
	const socket = target.isTls ? overTls(raw) : raw;
	// An import of node:http would load the WebSocket client too, 8 ms of each start (http-node.ts).
	const http = process.getBuiltinModule('node:http');
	const { method = 'GET' } = request;
	const sent = http.request({
		method,
		path: pathAt(request, target),
		setHost: false,
		setDefaultHeaders: false,
		maxHeaderSize: MAX_HEAD_BYTES,
		createConnection: () => socket,
	});
	setHeaders(sent, headersOf(request, isUpgrade));
	const answer = new Promise<BackendAnswer>((resolve, reject) => {
		followHeads(sent, (response) => resolve({ type: 'response', response }), reject);
		if (isUpgrade)
			sent.once('upgrade', (response, upgraded, head) =>
				resolve({ type: 'upgrade', response, socket: upgraded, head }),
			);
		// Errors of the answer after its head come from its stream.
		sent.on('error', reject);
		// Node only closes the connection after an upgrade that nothing has asked for.
		sent.once('close', () => reject(new Error('EOF')));
	});
	// A caller that has failed meanwhile does not wait for the answer.
	answer.catch(() => undefined);
	sent.flushHeaders();
	const close = (): void => {
		signal.removeEventListener('abort', close);
		sent.destroy();
		socket.destroy();
		raw.destroy();
	};
	signal.addEventListener('abort', close, { once: true });
	if (signal.aborted) close();
	return { sent, answer, close };
}

/** Calls `answered` with the answer, or `failed` if what comes is none, or not in the end. */
function followHeads(
	sent: ClientRequest,
	answered: (response: IncomingMessage) => void,
	failed: (error: Error) => void,
): void {
	sent.once('response', (response) => {
		const { statusCode = 0 } = response;
		// The parser accepts these, and no answer can be written with them.
		if (statusCode >= MIN_STATUS) answered(response);
		else failed(new Error(`malformed HTTP status code "${String(statusCode).padStart(3, '0')}"`));
	});
	let informational = 0;
	sent.on('information', () => {
		informational += 1;
		if (informational > MAX_INFORMATIONAL) failed(new Error('too many 1xx informational responses'));
	});
}

/** Upstream does not verify certificates either: a Pod is known by its connection. */
function overTls(raw: NodeStream): NodeStream {
	const { connect } = process.getBuiltinModule('node:tls');
	return connect({ socket: raw, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
}

/** The path and the query at the backend. */
function pathAt({ url = '' }: IncomingMessage, { rest }: ProxyTarget): string {
	const { path, search } = splitTarget(url);
	return `${proxiedPath(path, rest).path || '/'}${search}`;
}

/** For these a server may wait for a body if nothing says that there is none. */
const BODY_METHODS: readonly string[] = ['POST', 'PUT', 'PATCH'];

function headersOf(
	{ rawHeaders, url = '', socket, method = '' }: IncomingMessage,
	isUpgrade: boolean,
): readonly string[] {
	const headers = forwardedHeaders(rawHeaders, {
		address: socket.remoteAddress,
		path: cleanPath(splitTarget(url).path),
		isUpgrade,
	});
	// The framing of the body belongs to one connection, so it is chosen again: as the client's.
	if (isUpgrade) return headers;
	const isChunked = valuesOf(rawHeaders, 'transfer-encoding').length > 0;
	const isEmpty = !isChunked && valuesOf(rawHeaders, 'content-length').length === 0;
	return [
		...headers,
		...['Connection', 'close'],
		...(isChunked ? ['Transfer-Encoding', 'chunked'] : []),
		...(isEmpty && BODY_METHODS.includes(method) ? ['Content-Length', '0'] : []),
	];
}

function setHeaders(sent: ClientRequest, headers: readonly string[]): void {
	for (let index = 0; index < headers.length; index += 2)
		sent.appendHeader(headers[index] ?? '', headers[index + 1] ?? '');
}

/** The error that a client receives for a backend that cannot be reached or whose answer is no HTTP. */
export function unreachable(error: unknown): ApiError {
	return serviceUnavailable(`error trying to reach service: ${failureText(error)}`);
}

/** The text of a failed connection, that of Go's net/http where there is one. */
export function failureText(error: unknown): string {
	if (error instanceof ApiError) return error.message;
	const code = codeOf(error);
	const message = messageOf(error);
	if (code === 'HPE_HEADER_OVERFLOW')
		return `net/http: server response headers exceeded ${MAX_HEAD_BYTES} bytes; aborted`;
	if (code.startsWith('HPE_')) return `net/http: HTTP/1.x transport connection broken: ${message}`;
	if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG')
		return 'http: server gave HTTP response to HTTPS client';
	return message === 'socket hang up' ? 'EOF' : message;
}
