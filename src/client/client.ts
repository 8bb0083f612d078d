/**
 * The folder `client` is what programs use to talk to an API server, as client-go is upstream: typed calls,
 * informers, Events and kubeconfigs. It knows no controller and no command; they depend on it.
 *
 * Order of reading: client.ts (typed verbs over any transport), transport/http-node.ts (a server at the other end
 * of a connection; the transport within one process is in the API server), follow-watch.ts and informer.ts
 * (list and watch into a local cache), informers.ts (the caches of a process), event-recorder.ts and
 * event-correlator.ts (Events), kubeconfig.ts and kubeconfig-update.ts (addresses and credentials).
 */

import { apiVersionOf, type ResourceDefinition } from '../api/contract/resource-definition.ts';
import type { ApiRequest, ApiTransport, ApiWatch, ApiWatchSink } from '../api/contract/transport.ts';
import type { KubeObject } from '../api/meta/object-meta.ts';

/** A list in the API's response. */
export interface ObjectList<T> {
	readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
	readonly items: readonly T[];
}

/** The query parameters of a list or watch, with the names and values of the API. */
export interface ListOptions {
	readonly labelSelector?: string;
	readonly fieldSelector?: string;
	readonly resourceVersion?: string;
	readonly limit?: number;
	readonly continue?: string;
	/** Time after which the server ends a watch, in seconds. */
	readonly timeoutSeconds?: number;
}

/** Options of a single call. */
export interface CallOptions {
	/** Cancels the call when it aborts: a request rejects with the AbortError, a watch ends. */
	readonly signal?: AbortSignal | undefined;
}

/** The options of a delete request. The server applies its defaults for missing ones. */
export interface DeletionRequest {
	readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
	readonly gracePeriodSeconds?: number;
	readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
	readonly dryRun?: readonly string[];
}

/** The patch formats that the API accepts. */
export type PatchKind = 'merge' | 'strategic' | 'json' | 'apply';

const PATCH_TYPES: Readonly<Record<PatchKind, string>> = {
	merge: 'application/merge-patch+json',
	strategic: 'application/strategic-merge-patch+json',
	json: 'application/json-patch+json',
	apply: 'application/apply-patch+yaml',
};

/** A typed client of the API over any transport. Calls reject with an ApiError if the server refuses them. */
export class Client {
	readonly transport: ApiTransport;
	readonly #query: Readonly<Record<string, string>>;

	/** `fieldManager` is the name under which the server records the writes in managedFields. */
	constructor(transport: ApiTransport, options: { readonly fieldManager?: string } = {}) {
		this.transport = transport;
		this.#query = options.fieldManager ? { fieldManager: options.fieldManager } : {};
	}

	/** The calls for a resource: in `namespace`, or in all namespaces if none is given. */
	resource<T extends KubeObject>(definition: ResourceDefinition<T>, namespace?: string): ResourceClient<T> {
		return new ResourceClient<T>(this.transport, pathOf(definition, namespace), this.#query);
	}
}

/** The URL path of a resource, such as `/apis/batch/v1/namespaces/default/jobs`. */
export function pathOf(definition: ResourceDefinition, namespace?: string): string {
	const root = definition.group === '' ? '/api' : '/apis';
	const scope = definition.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : '';
	return `${root}/${apiVersionOf(definition)}${scope}/${definition.resource}`;
}

/** The verbs on one resource. */
export class ResourceClient<T extends KubeObject> {
	readonly #transport: ApiTransport;
	readonly #path: string;
	readonly #query: Readonly<Record<string, string>>;

	constructor(transport: ApiTransport, path: string, query: Readonly<Record<string, string>>) {
		this.#transport = transport;
		this.#path = path;
		this.#query = query;
	}

	/** Creates `object`; resolves to the stored object, with the fields that the server has set. */
	create(object: T, query: Readonly<Record<string, string>> = {}): Promise<T> {
		return this.#send({
			method: 'POST',
			path: this.#path,
			query: { ...this.#query, ...query },
			body: object,
		});
	}

	/** Reads an object; rejects with NotFound if it does not exist. */
	get(name: string): Promise<T> {
		return this.#send({ method: 'GET', path: this.#at(name) });
	}

	/** Lists the objects; with `limit`, `metadata.continue` of the result is the token for the next page. */
	list(options: ListOptions = {}, { signal }: CallOptions = {}): Promise<ObjectList<T>> {
		return this.#send({
			method: 'GET',
			path: this.#path,
			query: listQuery(options),
			...(signal && { signal }),
		});
	}

	/**
	 * Replaces the object. If `object.metadata.resourceVersion` is set and differs from the stored one, this
	 * rejects with a Conflict.
	 */
	update(object: T, subresource?: 'status'): Promise<T> {
		const path = this.#at(object.metadata.name ?? '', subresource);
		return this.#send({ method: 'PUT', path, query: this.#query, body: object });
	}

	/** Patches an object; resolves to the stored object. */
	patch(name: string, kind: PatchKind, patch: unknown): Promise<T> {
		return this.#patchAt(this.#at(name), kind, patch);
	}

	/** Patches the status of an object, and nothing else of it; resolves to the stored object. */
	patchStatus(name: string, kind: PatchKind, patch: unknown): Promise<T> {
		return this.#patchAt(this.#at(name, 'status'), kind, patch);
	}

	/**
	 * Deletes the object. Resolves to the object if finalizers or a grace period keep it for now, and to a
	 * Status if the server has removed it.
	 */
	delete(name: string, options: DeletionRequest = {}): Promise<unknown> {
		const body = { kind: 'DeleteOptions', apiVersion: 'v1', ...options };
		return this.#send({ method: 'DELETE', path: this.#at(name), body });
	}

	/** See {@link ApiTransport.watch}. */
	watch(options: ListOptions, sink: ApiWatchSink<T>, { signal }: CallOptions = {}): Promise<ApiWatch> {
		const query = { ...listQuery(options), watch: 'true', allowWatchBookmarks: 'true' };
		const request: ApiRequest = { method: 'GET', path: this.#path, query, ...(signal && { signal }) };
		// The path determines the kind of the objects in the events.
		return this.#transport.watch(request, sink as unknown as ApiWatchSink);
	}

	#patchAt(path: string, kind: PatchKind, patch: unknown): Promise<T> {
		return this.#send({
			method: 'PATCH',
			path,
			query: this.#query,
			body: patch,
			contentType: PATCH_TYPES[kind],
		});
	}

	#at(name: string, subresource?: string): string {
		return `${this.#path}/${encodeURIComponent(name)}${subresource ? `/${subresource}` : ''}`;
	}

	async #send<R>(request: ApiRequest): Promise<R> {
		const response = await this.#transport.request(request);
		// The path determines the kind of the object, and the server has decoded it with that kind's schema.
		return response.object as R;
	}
}

function listQuery(options: ListOptions): Record<string, string> {
	const query: Record<string, string> = {};
	for (const [name, value] of Object.entries(options)) if (value !== undefined) query[name] = String(value);
	return query;
}
