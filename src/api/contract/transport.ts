import type { KubeObject } from '../meta/object-meta.ts';
import type { Duplex } from './duplex.ts';
import type { User } from './user.ts';

/**
 * The interface through which all components use the API, in the same process as the server or over a
 * connection. Components interact only through the API, so each could run elsewhere. The server implements
 * {@link ApiTransport} itself; client/ implements it over HTTP.
 *
 * 1. Every call rejects with an ApiError (api/errors/api-error.ts), on every transport.
 * 2. Objects in responses are frozen and may be shared with other readers.
 */
export interface ApiTransport {
	/** Performs one request and resolves to its response. */
	request(request: ApiRequest): Promise<ApiResponse>;
	/**
	 * Starts a watch (the query is that of a list) and resolves once the server has accepted it. If the server
	 * runs in this process, the sink receives an event before the write that caused it resolves.
	 */
	watch(request: ApiRequest, sink: ApiWatchSink): Promise<ApiWatch>;
	/** Streams the bytes of a response (`pods/log`), until they end or `request.signal` aborts. */
	stream(request: ApiRequest): Promise<AsyncIterable<Uint8Array>>;
	/**
	 * Opens a two-way stream (`pods/exec`, `pods/attach`) and resolves once the server has accepted it. An abort of
	 * `request.signal` closes it. The caller owns the session: see api/contract/duplex.ts. For `pods/portforward` with one
	 * port in the query, channel 0 is the connection to it and channel 1 the text of its error.
	 */
	duplex(request: ApiRequest): Promise<Duplex>;
}

/** A request. */
export interface ApiRequest {
	readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
	/** As in a URL, without the query: `/apis/batch/v1/namespaces/default/jobs/pi/status`. */
	readonly path: string;
	/** A parameter with several values occurs several times in the URL. */
	readonly query?: Readonly<Record<string, string | readonly string[]>>;
	/** The object to send. A transport over a connection encodes it. The receiver never changes it. */
	readonly body?: unknown;
	/** Content type of the body. Default `application/json`; for patches it names the patch type. */
	readonly contentType?: string;
	/** Media types that the caller accepts. Default `application/json`. */
	readonly accept?: string;
	/**
	 * If the signal has aborted already, the call rejects with its reason. A request in progress may be cut
	 * off; if the server runs in this process, a request that has started finishes.
	 */
	readonly signal?: AbortSignal;
	/**
	 * Who sends the request, if the server runs in this process. Default: the server itself. A transport over a
	 * connection ignores it: the server identifies the user by the credentials.
	 */
	readonly user?: User;
}

/** The response to a successful request. */
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

/** The receiver of a watch. The transport's calls of it never overlap. */
export interface ApiWatchSink<T = KubeObject> {
	/** Receives one or more events, in order of their resourceVersions. */
	events(batch: readonly WatchEvent<T>[]): void;
	/**
	 * The watch has ended: with an `error` if it failed (410 Gone: list again), without one otherwise. Called
	 * at most once.
	 */
	ended(error?: Error): void;
}

/** An active watch. */
export interface ApiWatch {
	/** Stops the watch. The sink receives nothing afterwards. */
	stop(): void;
}
