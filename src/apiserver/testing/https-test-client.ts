/** A client that reaches a server under test over HTTPS, for tests of the listener. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { request as open } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { closedBy, type Duplex } from '../../api/contract/duplex.ts';
import type { ApiRequest, ApiTransport, WatchEvent } from '../../api/contract/transport.ts';
import { ApiError } from '../../api/errors/api-error.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { isChannelProtocol } from '../../api/streams/channel-frames.ts';
import { WebSocketDuplex } from '../../api/streams/websocket-duplex.ts';
import { SystemClock } from '../../base/clock.ts';
import { type Credentials, loadCredentials } from '../http/credentials.ts';
import { type HttpListener, type ListenOptions, listen } from '../http/listener.ts';
import type { TestServer } from './server-contract-suite.ts';

let credentials: Promise<Credentials> | undefined;

/** The credentials of all listeners under test. They are made once, since generating keys takes a while. */
export function testCredentials(): Promise<Credentials> {
	credentials ??= makeCredentials();
	return credentials;
}

async function makeCredentials(): Promise<Credentials> {
	const folder = mkdtempSync(join(tmpdir(), 'stint-http-'));
	try {
		return await loadCredentials(folder, new SystemClock().now());
	} finally {
		rmSync(folder, { recursive: true });
	}
}

/** Opens a listener for a server under test on a free port. */
export async function listenTo(
	{ server, faults }: TestServer,
	options: Partial<Pick<ListenOptions, 'clock' | 'mostConnections' | 'requestTimeoutMs'>> = {},
): Promise<HttpListener> {
	const onError = (_where: string, error: unknown): void => void faults.push(error);
	const defaults = { clock: new SystemClock(), credentials: await testCredentials(), port: 0 };
	return listen({ ...defaults, ...options, server, onError });
}

/** What a test sends besides method and path. */
export interface Sent {
	readonly headers?: OutgoingHttpHeaders;
	readonly body?: string | Uint8Array;
	/** The bearer token. Default: the right one. Null: the request has no Authorization header. */
	readonly token?: string | null;
	/** Closes the connection when it aborts. */
	readonly signal?: AbortSignal;
}

/** Sends a request and resolves once the head of its response has arrived. */
export async function send(
	listener: HttpListener,
	method: string,
	path: string,
	sent: Sent = {},
): Promise<IncomingMessage> {
	const credentials = await testCredentials();
	const { token = credentials.token, headers, body, signal } = sent;
	return new Promise((resolve, reject) => {
		const options = {
			method,
			...(signal && { signal }),
			ca: credentials.caPem,
			servername: 'localhost',
			headers: {
				...(token !== null && { authorization: `Bearer ${token}` }),
				// Node sends no content-length with a DELETE by default.
				...(body !== undefined &&
					!headers?.['transfer-encoding'] && { 'content-length': Buffer.byteLength(body) }),
				...headers,
			},
		};
		const request = open(`${listener.url}${path}`, options, resolve);
		request.on('error', reject);
		request.end(body);
	});
}

/** What a test sends to open a WebSocket. */
export interface SentUpgrade extends Pick<Sent, 'token'> {
	readonly protocols?: readonly string[];
	readonly headers?: Readonly<Record<string, string>>;
	/** If false, the client does not answer pings. */
	readonly autoPong?: boolean;
}

/** Asks for a WebSocket; resolves to it, paused, once it is open, or to the response of a server that refuses it. */
export async function upgrade(
	listener: HttpListener,
	path: string,
	{ protocols = ['v5.channel.k8s.io'], token, headers, autoPong = true }: SentUpgrade = {},
): Promise<WebSocket | IncomingMessage> {
	const credentials = await testCredentials();
	const bearer = token === undefined ? credentials.token : token;
	const webSocket = new WebSocket(`wss${listener.url.slice('https'.length)}${path}`, [...protocols], {
		ca: credentials.caPem,
		autoPong,
		headers: { ...(bearer !== null && { authorization: `Bearer ${bearer}` }), ...headers },
	});
	return new Promise((resolve, reject) => {
		webSocket.on('error', reject).once('open', () => {
			// Its first messages may arrive before the caller gets it.
			webSocket.pause();
			resolve(webSocket);
		});
		webSocket.once('unexpected-response', (_, response) => resolve(response));
	});
}

/** The session over an open WebSocket. */
export function duplexOf(webSocket: WebSocket): Duplex {
	const { protocol } = webSocket;
	assert.ok(isChannelProtocol(protocol), protocol);
	const duplex = new WebSocketDuplex(webSocket, { protocol, sendsEnds: true });
	webSocket.resume();
	return duplex;
}

/** The body of a response as text. */
export async function textOf(response: IncomingMessage): Promise<string> {
	let text = '';
	for await (const piece of response.setEncoding('utf8')) text += piece;
	return text;
}

/** The fields that the tests check in responses of all kinds. */
export interface Json {
	readonly kind: string;
	readonly type: string;
	readonly reason: string;
	readonly message: string;
	readonly code: number;
	readonly openapi: string;
	readonly gitVersion: string;
	readonly object: Json;
	readonly items: readonly KubeObject[];
	readonly paths: Readonly<Record<string, { readonly serverRelativeURL: string }>>;
}

/** The body of a response, parsed as JSON. */
export async function jsonOf(response: IncomingMessage): Promise<Json> {
	return JSON.parse(await textOf(response));
}

/** A minimal ApiTransport over HTTPS, so that the contract suite runs against the listener. */
export function transportTo(listener: HttpListener): ApiTransport {
	const target = ({ path, query }: ApiRequest): string => {
		const pairs = Object.entries(query ?? {}).flatMap(([name, value]) =>
			[value].flat().map((each) => [name, each]),
		);
		return pairs.length > 0 ? `${path}?${new URLSearchParams(pairs)}` : path;
	};
	const perform = async (request: ApiRequest): Promise<IncomingMessage> => {
		const { method, body, contentType = 'application/json', accept } = request;
		const response = await send(listener, method, target(request), {
			headers: { ...(body !== undefined && { 'content-type': contentType }), ...(accept && { accept }) },
			...(body !== undefined && { body: JSON.stringify(body) }),
		});
		if ((response.statusCode ?? 0) >= 400) throw new ApiError(JSON.parse(await textOf(response)));
		return response;
	};
	return {
		request: async (request) => {
			const response = await perform(request);
			const warnings = [response.headers.warning ?? []].flat().flatMap((text) => text.split(/, (?=299)/));
			return {
				code: response.statusCode ?? 0,
				object: await jsonOf(response),
				warnings: warnings.map((text) => text.slice('299 - "'.length, -1).replace(/\\(.)/g, '$1')),
			};
		},
		watch: async (request, sink) => {
			const response = await perform(request);
			let rest = '';
			let failure: ApiError | undefined;
			response.setEncoding('utf8').on('data', (text: string) => {
				const lines = `${rest}${text}`.split('\n');
				rest = lines.pop() ?? '';
				const events: WatchEvent[] = [];
				for (const line of lines) {
					const { type, object } = JSON.parse(line);
					if (type === 'ERROR') failure = new ApiError(object);
					else events.push({ type, object });
				}
				if (events.length > 0) sink.events(events);
			});
			response.on('end', () => sink.ended(failure)).on('error', () => {});
			return { stop: () => void response.destroy() };
		},
		stream: perform,
		duplex: async (request) => {
			request.signal?.throwIfAborted();
			const answer = await upgrade(listener, target(request));
			if (answer instanceof WebSocket) return closedBy(request.signal, duplexOf(answer));
			throw new ApiError(JSON.parse(await textOf(answer)));
		},
	};
}
