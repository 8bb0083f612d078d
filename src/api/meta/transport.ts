import type { KubeObject } from './object-meta.ts';

/**
 * How components reach the API, whether the server runs in the same process or at the end of a
 * connection: the API is the architecture, and this is its shape in code. The server implements
 * {@link ApiTransport} itself; client/ implements it over HTTP.
 *
 * Every call rejects with an ApiError (api/meta/api-error.ts), whatever the transport.
 * Objects in answers are frozen and may be shared with other readers.
 */
export interface ApiTransport {
	/** Performs one request and resolves to its answer. */
	request(request: ApiRequest): Promise<ApiResponse>;
	/**
	 * Opens a watch (query as for a list) and resolves once it stands. Where the server runs in this
	 * process, events are told before the write that caused them resolves.
	 */
	watch(request: ApiRequest, sink: ApiWatchSink): Promise<ApiWatch>;
	/** Reads bytes as they come (`pods/log`), until they end or `request.signal` aborts. */
	stream(request: ApiRequest): Promise<AsyncIterable<Uint8Array>>;
}

/** A request. */
export interface ApiRequest {
	readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
	/** As in a URL, without the query: `/apis/batch/v1/namespaces/default/jobs/pi/status`. */
	readonly path: string;
	readonly query?: Readonly<Record<string, string>>;
	/** The object to send; the transport encodes it if it must. Never changed by the receiver. */
	readonly body?: unknown;
	/** Of the body; `application/json` by default. Patches say which kind of patch they are. */
	readonly contentType?: string;
	/** What to answer with; `application/json` by default. */
	readonly accept?: string;
	/**
	 * The call rejects with the signal's reason if it has aborted before. One under way may be cut off; where
	 * the server runs in this process, a request that has begun finishes.
	 */
	readonly signal?: AbortSignal;
}

/** The answer to a request that succeeded. */
export interface ApiResponse {
	/** 200, 201 or 202. */
	readonly code: number;
	readonly object: unknown;
	/** Texts of the Warning headers. */
	readonly warnings: readonly string[];
}

/** One event of a watch. */
export interface WatchEvent<T = KubeObject> {
	readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
	readonly object: T;
}

/** What a watch tells; the calls never overlap. */
export interface ApiWatchSink<T = KubeObject> {
	/** Events in order, at least one. */
	events(batch: readonly WatchEvent<T>[]): void;
	/** The watch is over: `error` when it failed (410 Gone: list again), undefined at its normal end. */
	ended(error?: Error): void;
}

/** A watch under way. */
export interface ApiWatch {
	/** Ends it; nothing is told after this. */
	stop(): void;
}
