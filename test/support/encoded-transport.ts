import type { Duplex } from '../../src/api/contract/duplex.ts';
import type {
	ApiRequest,
	ApiResponse,
	ApiTransport,
	ApiWatch,
	ApiWatchSink,
} from '../../src/api/contract/transport.ts';
import { ADMIN } from '../../src/api/contract/user.ts';
import { apiErrorOf } from '../../src/apiserver/errors.ts';
import { negotiate } from '../../src/apiserver/http/negotiate.ts';
import { SharedLines } from '../../src/apiserver/http/shared-lines.ts';
import { Query } from '../../src/apiserver/query.ts';
import type { Call } from '../../src/apiserver/request.ts';
import type { ApiServer } from '../../src/apiserver/server.ts';
import { errorLine, WatchLines } from '../../src/apiserver/verbs/watch-events.ts';
import type { WatchReader } from '../../src/apiserver/verbs/watch-reader.ts';
import { nextTurn } from '../../src/base/turn.ts';
import { errorOfBody, objectOfAnswer, WatchDecoder } from '../../src/client/transport/http-answers.ts';

/**
 * A transport to a server in this process that exchanges bytes without a socket, so that it works in virtual
 * time. It encodes and decodes as HTTP does, on both sides:
 *
 * 1. No object is shared with the server: each answer and each event is decoded anew, and frozen.
 * 2. A watch reads the history in a later event loop turn. So an event may arrive after the answer to the write
 *    that caused it.
 */
export class EncodedTransport implements ApiTransport {
	readonly #server: ApiServer;
	readonly #lines = new SharedLines();

	constructor(server: ApiServer) {
		this.#server = server;
	}

	async request(request: ApiRequest): Promise<ApiResponse> {
		request.signal?.throwIfAborted();
		const call = callOf(request);
		try {
			const answer = await this.#server.answer(call);
			const body = Buffer.concat([...answer.bytes()]).toString();
			return { code: answer.code, object: objectOfAnswer(body, request), warnings: call.warnings };
		} catch (error) {
			throw decoded(error, request);
		}
	}

	async watch(request: ApiRequest, sink: ApiWatchSink): Promise<ApiWatch> {
		request.signal?.throwIfAborted();
		try {
			return this.#open(callOf({ ...request, query: { ...request.query, watch: 'true' } }), sink);
		} catch (error) {
			throw decoded(error, request);
		}
	}

	async stream(request: ApiRequest): Promise<AsyncIterable<Uint8Array>> {
		request.signal?.throwIfAborted();
		try {
			return await this.#server.openStream(callOf(request));
		} catch (error) {
			throw decoded(error, request);
		}
	}

	/** Passes the stream of the server through: its chunks are bytes already. */
	async duplex(request: ApiRequest): Promise<Duplex> {
		request.signal?.throwIfAborted();
		try {
			return await this.#server.openDuplex(callOf(request), () => undefined);
		} catch (error) {
			throw decoded(error, request);
		}
	}

	#open(call: Call, sink: ApiWatchSink): ApiWatch {
		const flow = this.#server.flowOf(call);
		if (flow.type !== 'watch') throw new Error(`${call.path} cannot be watched`);
		const { codec } = flow.request.resource;
		const lines = new WatchLines(codec, negotiate(call.accept, call.query), this.#lines);
		const watch = new EncodedWatch({ sink, lines, open: (wake) => this.#server.readWatch(call, wake) });
		call.signal?.addEventListener('abort', () => watch.stop(), { once: true });
		return watch;
	}
}

interface EncodedWatchOptions {
	readonly sink: ApiWatchSink;
	readonly lines: WatchLines;
	readonly open: (wake: () => void) => WatchReader;
}

/** Reads a watch step by step, each in an event loop turn of its own. */
class EncodedWatch implements ApiWatch {
	readonly #sink: ApiWatchSink;
	readonly #lines: WatchLines;
	readonly #reader: WatchReader;
	readonly #decoder = new WatchDecoder();
	#isStopped = false;

	constructor({ sink, lines, open }: EncodedWatchOptions) {
		this.#sink = sink;
		this.#lines = lines;
		this.#reader = open(() => this.#readLater());
		this.#readLater();
	}

	stop(): void {
		this.#isStopped = true;
		this.#reader.stop();
	}

	#readLater(): void {
		later(() => this.#read());
	}

	#read(): void {
		if (this.#isStopped) return;
		const step = this.#reader.step();
		if (step.type === 'waiting') return;
		if (step.type === 'ended') {
			this.#end(step.error);
			return;
		}
		const events = step.notices.flatMap((notice) => this.#decoder.push(this.#lines.line(notice, 0)).events);
		this.#readLater();
		if (events.length > 0) this.#sink.events(events);
	}

	#end(error: unknown): void {
		this.stop();
		const status = error === undefined ? undefined : apiErrorOf(error, () => undefined).status;
		this.#sink.ended(status && this.#decoder.push(errorLine(status)).failure);
	}
}

let pending = 0;

/** Number of steps of all {@link EncodedTransport}s that wait for a later event loop turn. */
export function pendingSteps(): number {
	return pending;
}

/** Resolves once no step waits: the components have received all changes. At once for direct transports. */
export async function stepsDone(): Promise<void> {
	while (pending > 0) await new Promise((resolve) => setImmediate(resolve));
}

function later(step: () => void): void {
	pending += 1;
	setImmediate(() => {
		pending -= 1;
		step();
	});
}

async function pause(): Promise<void> {
	pending += 1;
	await nextTurn();
	pending -= 1;
}

/** The call of a request; like a connection, it has the user of the credentials unless the request names one. */
function callOf({ method, path, query, body, signal, user = ADMIN, ...types }: ApiRequest): Call {
	const { contentType = 'application/json', accept = 'application/json' } = types;
	const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
	return {
		...{ user, method, path, contentType, accept, signal, pause, warnings: [] },
		query: new Query(query),
		body: bytes && { type: 'bytes', bytes },
	};
}

/** The error as a client decodes it from the bytes of a Status. */
function decoded(error: unknown, request: ApiRequest): Error {
	const { code, status } = apiErrorOf(error, () => undefined);
	return errorOfBody(code, JSON.stringify(status), request);
}
