import type { ResourceDefinition } from '../api/contract/resource-definition.ts';
import type { ApiRequest } from '../api/contract/transport.ts';
import { API_SERVER, type User } from '../api/contract/user.ts';
import type { TurnBudget } from '../base/turn.ts';
import { Query } from './query.ts';
import type { ResourceReader } from './storage/resource-cache.ts';

/** The HTTP methods of the API. Only a proxy takes the last two. */
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS';

/**
 * A request body: a value from a caller in this process, bytes from an HTTP client, or undefined for none.
 */
export type Body =
	| { readonly type: 'value'; readonly value: unknown }
	| { readonly type: 'bytes'; readonly bytes: Uint8Array }
	| undefined;

/** A request, from a caller in this process or over HTTP. */
export interface Call {
	/** Who sends the request, as authentication found. */
	readonly user: User;
	readonly method: Method;
	/** The URL path, percent-encoded, without the query. */
	readonly path: string;
	readonly query: Query;
	readonly body: Body;
	/** Content-Type header; empty if the client sent none. */
	readonly contentType: string;
	readonly accept: string;
	/** Aborts when the client disconnects. */
	readonly signal: AbortSignal | undefined;
	/**
	 * Yields to the event loop; long operations await it regularly, so that other requests are served
	 * meanwhile. Undefined for callers in this process, which share a budget for each event loop turn instead
	 * ({@link betweenSteps}).
	 */
	readonly pause?: (() => Promise<void>) | undefined;
	/** Texts of the Warning headers; the stages add to it. */
	readonly warnings: string[];
}

/** The call that a caller in this process makes by a request. */
export function callOf(request: ApiRequest): Call {
	const { user = API_SERVER, method, path, query, body, contentType = '', accept = '', signal } = request;
	return {
		user,
		method,
		path,
		query: new Query(query),
		body: body === undefined ? undefined : { type: 'value', value: body },
		contentType,
		accept,
		signal,
		warnings: [],
	};
}

/** A request for a resource, after routing. All stages receive it. */
export interface ResourceRequest {
	readonly call: Call;
	readonly resource: ResourceReader;
	readonly definition: ResourceDefinition;
	/** Namespace of the path; empty for all namespaces and for cluster-scoped kinds. */
	readonly namespace: string;
	/** Name of the object; empty for a collection. */
	readonly name: string;
	/** Name of the subresource (`status`, `log`, …); empty for the object itself. */
	readonly subresource: string;
	/** The path after the subresource `proxy`; otherwise empty. */
	readonly rest: string;
}

/**
 * A request yields to the event loop after it has processed this many bytes of objects, or this many objects.
 */
const PAUSE_BYTES = 256 * 1024;
const PAUSE_OBJECTS = 200;

/**
 * Returns a function for loops over objects: the loop calls it with the size of each object and awaits the
 * result. It yields to the event loop after every few milliseconds of work, if the caller allows it ({@link
 * Call.pause}).
 */
export function pauseRegularly({ pause }: Call): (bytes: number) => Promise<void> | undefined {
	let seenBytes = 0;
	let seen = 0;
	return (bytes) => {
		seenBytes += bytes;
		seen += 1;
		if (!pause || (seenBytes < PAUSE_BYTES && seen < PAUSE_OBJECTS)) return undefined;
		seenBytes = 0;
		seen = 0;
		return pause();
	};
}

/** A step that processes fewer bytes takes at most a few milliseconds, so no pause is needed. */
const STEP_BYTES = 16 * 1024;

/**
 * Returns a promise to await between two steps of a request that process this many bytes, or undefined if no
 * pause is needed. The caller must not await undefined ({@link runAfter}): 60 callers would pass here before the
 * first one starts its step, and the budget of the turn would not stop them. Decoding, validating and
 * encoding an object of 20,000 values take up to 50 ms each.
 */
export function betweenSteps(
	{ turn }: { readonly turn: Pick<TurnBudget, 'rest'> },
	{ pause }: Call,
	bytes: number,
): Promise<void> | undefined {
	if (!pause) return turn.rest();
	return bytes > STEP_BYTES ? pause() : undefined;
}

/** Size of the request body in bytes; 0 for callers in this process. */
export function bodyBytes({ body }: Call): number {
	return body?.type === 'bytes' ? body.bytes.length : 0;
}

/** More than fit into the headers of a response. */
const MAX_WARNINGS = 500;

/** Adds the text of a Warning header, unless it was added before. */
export function warn({ warnings }: Call, text: string): void {
	if (warnings.length < MAX_WARNINGS && !warnings.includes(text)) warnings.push(text);
}
