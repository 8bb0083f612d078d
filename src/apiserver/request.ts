import type { ResourceDefinition } from '../api/meta/resource.ts';
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

/** Adds a text for a Warning header, once. */
export function warn(call: Call, text: string): void {
	if (!call.warnings.includes(text)) call.warnings.push(text);
}
