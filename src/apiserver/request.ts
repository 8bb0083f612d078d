import type { NodeApi } from '../api/meta/node-api.ts';
import type { ResourceDefinition } from '../api/meta/resource.ts';
import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { Store } from '../store/store.ts';
import type { Admission } from './admission/admission.ts';
import type { ObjectCache } from './object-cache.ts';
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

/** A watch that the cache feeds. */
export interface OpenWatch {
	/** Tells the client that it knows all up to `revision`. */
	bookmark(revision: number): void;
	stop(): void;
}

/** What the verbs work with. */
export interface ServerContext {
	readonly store: Store;
	readonly cache: ObjectCache;
	readonly admission: Admission;
	/** The watches that the cache feeds: they get bookmarks now and then, and end with the server. */
	readonly watches: Set<OpenWatch>;
	readonly clock: Clock;
	readonly random: Random;
	/** The node agent behind a Node, if it can be reached. */
	readonly nodeApi: (nodeName: string) => NodeApi | undefined;
	/** Told of what nobody expected; `where` says in which part. */
	readonly onError: (where: string, error: unknown) => void;
}

/** Adds a text for a Warning header, once. */
export function warn(call: Call, text: string): void {
	if (!call.warnings.includes(text)) call.warnings.push(text);
}
