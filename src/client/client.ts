import type { KubeObject } from '../api/meta/object-meta.ts';
import { apiVersionOf, type ResourceDefinition } from '../api/meta/resource.ts';
import type { ApiRequest, ApiTransport, ApiWatch, ApiWatchSink } from '../api/meta/transport.ts';

/** A list as the API answers it. */
export interface ObjectList<T> {
	readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
	readonly items: readonly T[];
}

/** What a list or watch is narrowed to; the texts are those of the query parameters. */
export interface ListOptions {
	readonly labelSelector?: string;
	readonly fieldSelector?: string;
	readonly resourceVersion?: string;
	readonly limit?: number;
	readonly continue?: string;
	/** When the server ends a watch. */
	readonly timeoutSeconds?: number;
}

/** How a call may end before its answer. */
export interface CallOptions {
	/** The call rejects when it aborts; a watch ends. */
	readonly signal?: AbortSignal | undefined;
}

/** How to delete; absent parts are the server's defaults. */
export interface DeleteOptions {
	readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
	readonly gracePeriodSeconds?: number;
	readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
	readonly dryRun?: readonly string[];
}

/** The kinds of patch the API takes. */
export type PatchKind = 'merge' | 'strategic' | 'json' | 'apply';

const PATCH_TYPES: Readonly<Record<PatchKind, string>> = {
	merge: 'application/merge-patch+json',
	strategic: 'application/strategic-merge-patch+json',
	json: 'application/json-patch+json',
	apply: 'application/apply-patch+yaml',
};

/** The typed way to the API, over any transport. Calls reject with an ApiError. */
export class Client {
	readonly transport: ApiTransport;
	readonly #query: Readonly<Record<string, string>>;

	/** `fieldManager` names the writer in managedFields. */
	constructor(transport: ApiTransport, options: { readonly fieldManager?: string } = {}) {
		this.transport = transport;
		this.#query = options.fieldManager ? { fieldManager: options.fieldManager } : {};
	}

	/** The objects of a resource, in one namespace where it is given (and the resource is namespaced). */
	resource<T extends KubeObject>(definition: ResourceDefinition<T>, namespace?: string): ResourceClient<T> {
		return new ResourceClient<T>(this.transport, pathOf(definition, namespace), this.#query);
	}
}

/** The path of a collection: `/apis/batch/v1/namespaces/default/jobs`. */
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

	/** Creates `object` and resolves to what was stored. */
	create(object: T, query: Readonly<Record<string, string>> = {}): Promise<T> {
		return this.#send({
			method: 'POST',
			path: this.#path,
			query: { ...this.#query, ...query },
			body: object,
		});
	}

	get(name: string): Promise<T> {
		return this.#send({ method: 'GET', path: this.#at(name) });
	}

	list(options: ListOptions = {}, { signal }: CallOptions = {}): Promise<ObjectList<T>> {
		return this.#send({
			method: 'GET',
			path: this.#path,
			query: listQuery(options),
			...(signal && { signal }),
		});
	}

	/** Replaces the object; `object.metadata.resourceVersion`, where present, must be the stored one. */
	update(object: T, subresource?: 'status'): Promise<T> {
		const path = this.#at(object.metadata.name ?? '', subresource);
		return this.#send({ method: 'PUT', path, query: this.#query, body: object });
	}

	patch(name: string, kind: PatchKind, patch: unknown, subresource?: 'status'): Promise<T> {
		return this.#send({
			method: 'PATCH',
			path: this.#at(name, subresource),
			query: this.#query,
			body: patch,
			contentType: PATCH_TYPES[kind],
		});
	}

	/** Asks for deletion; resolves to the object while it is still there, or to a Status. */
	delete(name: string, options: DeleteOptions = {}): Promise<unknown> {
		const body = { kind: 'DeleteOptions', apiVersion: 'v1', ...options };
		return this.#send({ method: 'DELETE', path: this.#at(name), body });
	}

	/** See {@link ApiTransport.watch}. */
	watch(options: ListOptions, sink: ApiWatchSink<T>, { signal }: CallOptions = {}): Promise<ApiWatch> {
		const query = { ...listQuery(options), watch: 'true', allowWatchBookmarks: 'true' };
		const request: ApiRequest = { method: 'GET', path: this.#path, query, ...(signal && { signal }) };
		// The path fixes the kind of object that comes.
		return this.#transport.watch(request, sink as unknown as ApiWatchSink);
	}

	#at(name: string, subresource?: string): string {
		return `${this.#path}/${encodeURIComponent(name)}${subresource ? `/${subresource}` : ''}`;
	}

	async #send<R>(request: ApiRequest): Promise<R> {
		const response = await this.#transport.request(request);
		// The server answers a path with its kind; what it stores was decoded by that kind's schema.
		return response.object as R;
	}
}

function listQuery(options: ListOptions): Record<string, string> {
	const query: Record<string, string> = {};
	for (const [name, value] of Object.entries(options)) if (value !== undefined) query[name] = String(value);
	return query;
}
