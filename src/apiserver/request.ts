import type { ResourceDefinition } from '../api/meta/resource.ts';
import type { TurnBudget } from '../base/turn.ts';
import type { Query } from './query.ts';
import type { ResourceCache } from './resource-cache.ts';

/** The HTTP methods that the API knows. */
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A body as it came: a value from a caller in this process, bytes from elsewhere; undefined: none. */
export type Body =
	| { readonly type: 'value'; readonly value: unknown }
	| { readonly type: 'bytes'; readonly bytes: Uint8Array }
	| undefined;

/** A request, whichever way it came. */
export interface Call {
	readonly method: Method;
	/** As in a URL, without the query. */
	readonly path: string;
	readonly query: Query;
	readonly body: Body;
	/** Empty where the client did not say. */
	readonly contentType: string;
	readonly accept: string;
	/** Aborts when the client goes away. */
	readonly signal: AbortSignal | undefined;
	/**
	 * Lets other work have its turn: awaited now and then in long work for a client. Undefined for callers in
	 * this process, which share the budget of a turn ({@link betweenSteps}).
	 */
	readonly pause?: (() => Promise<void>) | undefined;
	/** Where stages put the texts of Warning headers. */
	readonly warnings: string[];
}

/** A request for a resource, after routing. */
export interface ResourceRequest {
	readonly call: Call;
	readonly resource: ResourceCache;
	readonly definition: ResourceDefinition;
	/** Empty: all namespaces, or a kind that has none. */
	readonly namespace: string;
	/** Empty for a collection. */
	readonly name: string;
	/** `status`, `log`, …; empty for the object itself. */
	readonly subresource: string;
}

/** A request pauses after it has looked at so many bytes of objects, or at so many objects. */
const PAUSE_BYTES = 256 * 1024;
const PAUSE_OBJECTS = 200;

/**
 * For a loop over objects: call it with each one's size, and await what it returns. It lets other work have
 * its turn whenever the loop has done a few milliseconds of work, if its caller can wait.
 */
export function breather({ pause }: Call): (bytes: number) => Promise<void> | undefined {
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

/** What a step of a request does with fewer bytes takes some milliseconds. */
const STEP_BYTES = 16 * 1024;

/**
 * Between two steps of a request that work on so many bytes: await what it returns, but only if it returns
 * something. (An `await` of undefined lets 60 callers pass here before one of them has begun its step.)
 * Decoding, validating and encoding an object of 20,000 values each take up to 50 ms.
 */
export function betweenSteps(
	{ turn }: { readonly turn: Pick<TurnBudget, 'rest'> },
	{ pause }: Call,
	bytes: number,
): Promise<void> | undefined {
	if (!pause) return turn.rest();
	return bytes > STEP_BYTES ? pause() : undefined;
}

/** The size of a request's body; 0 for callers in this process. */
export function bodyBytes({ body }: Call): number {
	return body?.type === 'bytes' ? body.bytes.length : 0;
}

/** More than the headers of an answer have room for. */
const MOST_WARNINGS = 500;

/** Adds a text for a Warning header, once. */
export function warn({ warnings }: Call, text: string): void {
	if (warnings.length < MOST_WARNINGS && !warnings.includes(text)) warnings.push(text);
}
