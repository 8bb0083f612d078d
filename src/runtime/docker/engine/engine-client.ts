/**
 * Speaks HTTP with a container engine over its Unix socket: Docker's API, which Podman serves as well. Each request has a
 * connection of its own, so that none fails because an idle one was closed, and streams do not share one with calls.
 *
 * 1. A call rejects with EngineError if the engine answers with an error, and with RuntimeUnavailable if it does not answer.
 * 2. No call has a timeout: pulls and waits take as long as they take. A stream ends when its caller aborts or destroys it.
 */
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { Duplex as NodeStream } from 'node:stream';
import { codeOf } from '../../../base/files/system-error.ts';
import { messageOf } from '../../../base/message-of.ts';
import { RuntimeUnavailable } from '../../contract.ts';
import { itemsAt, stringAt } from '../../json-values.ts';

/** The engine has answered with an error. */
export class EngineError extends Error {
	override readonly name = 'EngineError';
	/** The HTTP status. */
	readonly status: number;

	constructor(status: number, message: string) {
		super(message);
		this.status = status;
	}
}

/** A request to the engine. */
export interface EngineRequest {
	readonly query?: Readonly<Record<string, string | number | undefined>>;
	/** Sent as JSON. */
	readonly body?: unknown;
	readonly headers?: Readonly<Record<string, string>>;
	readonly signal?: AbortSignal;
}

/** What the engine says about itself. */
export interface EngineVersion {
	readonly name: 'docker' | 'podman';
	readonly version: string;
	/** The version of the API that is used, such as 1.41. */
	readonly api: string;
}

/** The oldest version of the API that has all that is used here, and the newest one that this code was written for. */
const OLDEST_API = '1.41';
const NEWEST_API = '1.47';

/** See the header of this file. */
export class EngineClient {
	readonly #socketPath: string;
	#prefix = '';

	constructor(socketPath: string) {
		this.#socketPath = socketPath;
	}

	/** Asks the engine for its version, and uses the newest version of the API that both sides know from then on. */
	async negotiate(): Promise<EngineVersion> {
		const answer = await this.call('GET', '/version');
		const offered = stringAt(answer, 'ApiVersion') || OLDEST_API;
		if (compareVersions(offered, OLDEST_API) < 0)
			throw new EngineError(400, `it serves the API ${offered}, and ${OLDEST_API} is needed`);
		const api = compareVersions(offered, NEWEST_API) < 0 ? offered : NEWEST_API;
		this.#prefix = `/v${api}`;
		const components = itemsAt(answer, 'Components').map((each) => stringAt(each, 'Name'));
		const isPodman = components.some((name) => name.startsWith('Podman'));
		return { name: isPodman ? 'podman' : 'docker', version: stringAt(answer, 'Version'), api };
	}

	/** Makes a call; resolves to the JSON of the answer, undefined if it has none. */
	async call(method: string, path: string, what: EngineRequest = {}): Promise<unknown> {
		const text = await this.#textOf(await this.open(method, path, what));
		return jsonOf(text);
	}

	/** Makes a call whose answer is a stream, which the caller reads or destroys. */
	async open(method: string, path: string, what: EngineRequest = {}): Promise<IncomingMessage> {
		const answer = Promise.withResolvers<IncomingMessage>();
		const sent = this.#send(method, path, what);
		sent.once('response', answer.resolve).once('error', (error) => answer.reject(this.#unavailable(error)));
		return await this.#checked(await answer.promise);
	}

	/**
	 * Makes a call after which the connection carries the bytes of a session in both directions. The caller owns the
	 * connection.
	 */
	async hijack(path: string, what: EngineRequest = {}): Promise<NodeStream> {
		const connection = Promise.withResolvers<NodeStream>();
		const headers = { ...what.headers, connection: 'Upgrade', upgrade: 'tcp' };
		const sent = this.#send('POST', path, { ...what, headers });
		sent.once('error', (error) => connection.reject(this.#unavailable(error)));
		sent.once('upgrade', (_, socket, head) => {
			if (head.length > 0) socket.unshift(head);
			connection.resolve(socket);
		});
		sent.once('response', (answer) => {
			this.#checked(answer).then(
				() => connection.reject(new EngineError(500, 'the engine did not upgrade the connection')),
				connection.reject,
			);
		});
		return await connection.promise;
	}

	#send(method: string, path: string, what: EngineRequest): ClientRequest {
		const { query = {}, body, headers = {}, signal } = what;
		const given = Object.entries(query).flatMap(([name, value]) =>
			value === undefined ? [] : [[name, `${value}`]],
		);
		const search = given.length > 0 ? `?${new URLSearchParams(given)}` : '';
		const text = body === undefined ? undefined : JSON.stringify(body);
		const sent = request({
			socketPath: this.#socketPath,
			path: `${this.#prefix}${path}${search}`,
			method,
			agent: false,
			headers: {
				host: 'engine',
				...(text !== undefined && {
					'content-type': 'application/json',
					'content-length': String(Buffer.byteLength(text)),
				}),
				...headers,
			},
			...(signal && { signal }),
		});
		sent.end(text);
		return sent;
	}

	async #checked(answer: IncomingMessage): Promise<IncomingMessage> {
		const { statusCode = 0 } = answer;
		if (statusCode < 400) return answer;
		const text = await this.#textOf(answer);
		throw new EngineError(
			statusCode,
			stringAt(jsonOf(text), 'message') || text.trim() || `status ${statusCode}`,
		);
	}

	async #textOf(answer: IncomingMessage): Promise<string> {
		const chunks: Uint8Array[] = [];
		try {
			for await (const chunk of answer) chunks.push(chunk);
		} catch (error) {
			throw this.#unavailable(error);
		}
		return Buffer.concat(chunks).toString();
	}

	#unavailable(error: unknown): RuntimeUnavailable {
		const why = codeOf(error) || messageOf(error);
		return new RuntimeUnavailable(`the container engine at ${this.#socketPath} cannot be reached: ${why}`);
	}
}

/** Whether the engine has answered that the object does not exist. */
export function isUnknown(error: unknown): boolean {
	return error instanceof EngineError && error.status === 404;
}

/** Negative if the version `a` of an API is older than `b`, positive if it is newer. */
export function compareVersions(a: string, b: string): number {
	const [major = 0, minor = 0] = a.split('.').map(Number);
	const [otherMajor = 0, otherMinor = 0] = b.split('.').map(Number);
	return major - otherMajor || minor - otherMinor;
}

/** The value of a text; undefined if it is not JSON, which errors of proxies are not. */
function jsonOf(text: string): unknown {
	try {
		return text === '' ? undefined : JSON.parse(text);
	} catch {
		return undefined;
	}
}
