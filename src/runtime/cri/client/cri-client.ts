/**
 * Calls a runtime of the CRI by gRPC over its Unix socket, with the library grpc-js, which is loaded with the first
 * connection.
 *
 * 1. A call rejects with CriError if the runtime answers with an error, and with RuntimeUnavailable if it does not answer, or
 *    answers that it is still starting.
 * 2. While there is no connection, a call waits for one, for at most {@link CONNECT_MS}.
 */
import type { Client, ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import type { Clock } from '../../../base/clock.ts';
import { RuntimeUnavailable } from '../../contract.ts';
import { CRI, type CriMethod } from './cri-methods.ts';
import { decodeMessage, encodeMessage, type Given, type Read, type WireFields } from './message.ts';

/** The runtime has answered with an error. */
export class CriError extends Error {
	override readonly name = 'CriError';
	/** The code of gRPC. */
	readonly code: number;

	constructor(code: number, message: string) {
		super(message);
		this.code = code;
	}
}

/** Codes of gRPC. */
const CANCELLED = 1;
const DEADLINE_EXCEEDED = 4;
const NOT_FOUND = 5;
const UNIMPLEMENTED = 12;
const UNAVAILABLE = 14;

/** Answers of a runtime that is starting (containerd 1.6), or whose connection is lost. */
const NOT_THERE = /server is not initialized yet|RST_STREAM|Connection dropped|ECONNRE/;

/** How long a call waits for a connection. */
const CONNECT_MS = 2000;
/** A runtime that restarts is there again within seconds; by default grpc-js waits a second and then ever longer. */
const BACKOFF = { 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 1000 };
/** The size that a kubelet takes. */
const MOST_BYTES = 16 << 20;

/** See the header of this file. */
export class CriClient {
	readonly #socketPath: string;
	readonly #clock: Clock;
	#opening: Promise<Client> | undefined;
	#isClosed = false;

	constructor(socketPath: string, clock: Clock) {
		this.#socketPath = socketPath;
		this.#clock = clock;
	}

	/** Makes a call. */
	async call<Request extends WireFields, Response extends WireFields>(
		method: CriMethod<Request, Response>,
		given: Given<Request>,
	): Promise<Read<Response>> {
		const client = await this.#connected();
		const { path, request, response, timeoutMs } = method;
		const options = timeoutMs === undefined ? {} : { deadline: this.#clock.now() + timeoutMs };
		return await new Promise((resolve, reject) => {
			client.makeUnaryRequest(
				path,
				(value: Given<Request>) => encodeMessage(request, value),
				(bytes: Buffer) => decodeMessage(response, bytes),
				given,
				options,
				(error, answer) => {
					if (error) reject(this.#failure(error));
					else if (answer) resolve(answer);
				},
			);
		});
	}

	/**
	 * Follows the events of containers until `signal` aborts or the connection is lost, and calls `onEvent` for each. Resolves
	 * then: to false if the runtime has no such events.
	 */
	async followEvents(onEvent: () => void, signal: AbortSignal): Promise<boolean> {
		const client = await this.#connected();
		const { path, request, response } = CRI.getContainerEvents;
		const stream: ClientReadableStream<Read<typeof response>> = client.makeServerStreamRequest(
			path,
			(value: Given<typeof request>) => encodeMessage(request, value),
			(bytes: Buffer) => decodeMessage(response, bytes),
			{},
		);
		const cancel = (): void => stream.cancel();
		signal.addEventListener('abort', cancel, { once: true });
		return await new Promise((resolve) => {
			stream.on('data', onEvent);
			stream.once('error', (error: ServiceError) => resolve(error.code !== UNIMPLEMENTED));
			stream.once('end', () => resolve(true));
			stream.once('close', () => signal.removeEventListener('abort', cancel));
		});
	}

	/** Ends the connection; calls in progress reject. */
	async close(): Promise<void> {
		this.#isClosed = true;
		(await this.#opening?.catch(() => undefined))?.close();
	}

	async #connected(): Promise<Client> {
		if (this.#isClosed) throw new RuntimeUnavailable('the connection to the container runtime is closed');
		this.#opening ??= this.#open();
		const client = await this.#opening;
		await new Promise<void>((resolve, reject) => {
			client.waitForReady(this.#clock.now() + CONNECT_MS, (error) =>
				error ? reject(this.#unavailable('it does not answer')) : resolve(),
			);
		});
		return client;
	}

	async #open(): Promise<Client> {
		const grpc = await import('@grpc/grpc-js');
		return new grpc.Client(`unix:${this.#socketPath}`, grpc.credentials.createInsecure(), {
			...BACKOFF,
			// The path of a socket is no name of a host, which servers check.
			'grpc.default_authority': 'localhost',
			'grpc.max_receive_message_length': MOST_BYTES,
			'grpc.enable_http_proxy': 0,
		});
	}

	#failure({ code, details }: ServiceError): Error {
		const isGone = code === UNAVAILABLE || code === CANCELLED || code === DEADLINE_EXCEEDED;
		return isGone || NOT_THERE.test(details) ? this.#unavailable(details) : new CriError(code, details);
	}

	#unavailable(why: string): RuntimeUnavailable {
		return new RuntimeUnavailable(`the container runtime at ${this.#socketPath} cannot be reached: ${why}`);
	}
}

/** Whether the runtime has answered that the object does not exist. */
export function isNotFound(error: unknown): boolean {
	return error instanceof CriError && error.code === NOT_FOUND;
}

/** Whether the runtime has answered that it does not have the call. */
export function isUnimplemented(error: unknown): boolean {
	return error instanceof CriError && error.code === UNIMPLEMENTED;
}
