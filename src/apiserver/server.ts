import { type ApiError, serviceUnavailable, unknownPath } from '../api/meta/api-error.ts';
import type { NodeApi } from '../api/meta/node-api.ts';
import type { ResourceDefinition } from '../api/meta/resource.ts';
import type { RuntimeTraits } from '../api/meta/runtime-traits.ts';
import type { ApiRequest, ApiResponse, ApiTransport, ApiWatch, ApiWatchSink } from '../api/meta/transport.ts';
import type { Clock } from '../base/clock.ts';
import { METRICS_CONTENT_TYPE, type Metrics } from '../base/metrics.ts';
import type { Random } from '../base/random.ts';
import { type TurnBudget, UNLIMITED_TURN } from '../base/turn.ts';
import type { Store } from '../store/store.ts';
import { Admission } from './admission/admission.ts';
import { NamespaceLifecycle } from './admission/namespace-lifecycle.ts';
import { PodFields } from './admission/pod-fields.ts';
import { PodPriority } from './admission/pod-priority.ts';
import { PodTolerations } from './admission/pod-tolerations.ts';
import { PriorityClasses, PriorityClassRules } from './admission/priority-classes.ts';
import { type Answer, answerOf } from './answer.ts';
import type { ServerContext } from './context.ts';
import { isWatch, subresourceOf, verbOf } from './dispatch.ts';
import { Documents } from './documents.ts';
import { apiErrorOf } from './errors.ts';
import { Housekeeping } from './housekeeping.ts';
import { negotiate } from './negotiate.ts';
import { ObjectCache } from './object-cache.ts';
import { addObjectCounts } from './object-counts.ts';
import { Query } from './query.ts';
import type { Call, ResourceRequest } from './request.ts';
import { type RequestEnd, RequestMetrics } from './request-metrics.ts';
import { routeToResource } from './route.ts';
import { ValuePacker } from './value-packer.ts';
import type { Compression } from './value-pages.ts';
import { type NoticeSink, openWatch } from './watch.ts';
import { watchEvent } from './watch-events.ts';
import { WatchReader } from './watch-reader.ts';

/** What an {@link ApiServer} is made of. */
export interface ApiServerOptions {
	/** Stays the caller's: close it after the server. */
	readonly store: Store;
	/** Everything that is served. */
	readonly resources: readonly ResourceDefinition[];
	readonly clock: Clock;
	readonly random: Random;
	/** The node agent behind a Node, for the logs of its Pods. */
	readonly nodeApi?: (nodeName: string) => NodeApi | undefined;
	/** What the runtime of Pods honours, for warnings; undefined as long as there is none. */
	readonly runtimeTraits?: () => RuntimeTraits | undefined;
	/** What `/metrics` shows; the server's own are among them. */
	readonly metrics: Metrics;
	/** Deletes stored values that cannot be read; by default {@link ApiServer.start} rejects and names them. */
	readonly discardDamaged?: boolean;
	/**
	 * How long callers in this process may write in one turn of the event loop, so that a controller does not
	 * create 60 Pods of a megabyte each in one; by default without limit.
	 */
	readonly turn?: TurnBudget;
	/** Loads what compresses the values of resting objects; by default they stay as they are. */
	readonly loadCompression?: () => Promise<Compression>;
	/** Of this program, for `/version`. */
	readonly version: string;
	/** Told of faults that no request should meet; `where` says in which part. */
	readonly onError: (where: string, error: unknown) => void;
	/** Told that the store no longer reports its changes. The server answers 503 from then on, for good. */
	readonly onStoreLost?: (error: Error) => void;
}

/**
 * The API server. As an {@link ApiTransport} it takes objects and answers with frozen ones that all
 * readers share; http.ts brings it bytes and takes bytes away. Both ways go through the same stages:
 * route, decode, admit, validate, store, encode (and authenticate, where there is a connection).
 */
export class ApiServer implements ApiTransport {
	readonly #context: ServerContext;
	readonly #documents: Documents;
	readonly #housekeeping: Housekeeping;
	readonly #packer: ValuePacker | undefined;
	readonly #metrics: Metrics;
	readonly #requests: RequestMetrics;

	constructor(options: ApiServerOptions) {
		const { store, resources, clock, random, version, onError } = options;
		const cache = new ObjectCache({
			store,
			resources,
			...(options.discardDamaged && { discardDamaged: true }),
			onError: (error) => onError('object cache', error),
			onStoreLost: options.onStoreLost ?? ((error) => onError('store', error)),
		});
		this.#context = {
			store,
			cache,
			clock,
			random,
			onError,
			watches: new Set(),
			turn: options.turn ?? UNLIMITED_TURN,
			nodeApi: options.nodeApi ?? (() => undefined),
			admission: admissionOf(cache, options),
		};
		this.#documents = new Documents({ resources, version, failure: () => cache.failure });
		this.#metrics = options.metrics;
		addObjectCounts(options.metrics, cache);
		this.#requests = new RequestMetrics(options.metrics, clock);
		this.#housekeeping = new Housekeeping(this.#context);
		const { loadCompression } = options;
		const packing = { cache, clock, onError: (error: unknown) => onError('value packer', error) };
		this.#packer = loadCompression && new ValuePacker({ ...packing, loadCompression });
	}

	/** Loads what the store holds; call it once, before anything else. */
	async start(): Promise<void> {
		await this.#context.cache.start();
		this.#housekeeping.start();
		this.#packer?.start();
	}

	/** Ends all watches and lets go of the store. Requests must be over by then. */
	close(): void {
		this.#housekeeping.stop();
		this.#packer?.stop();
		for (const watch of [...this.#context.watches]) watch.stop();
		this.#context.cache.stop();
	}

	async request(request: ApiRequest): Promise<ApiResponse> {
		request.signal?.throwIfAborted();
		const call = callOf(request);
		const { code, object } = await this.answer(call);
		return { code, object: object(), warnings: call.warnings };
	}

	async watch(request: ApiRequest, sink: ApiWatchSink): Promise<ApiWatch> {
		request.signal?.throwIfAborted();
		const call = callOf(request);
		const { codec } = this.#watched(call).resource;
		const watch = this.openWatch(call, {
			notices: (batch) => sink.events(batch.map((notice) => watchEvent(codec, notice))),
			ended: (error) => sink.ended(error),
		});
		call.signal?.addEventListener('abort', () => watch.stop(), { once: true });
		return watch;
	}

	async stream(request: ApiRequest): Promise<AsyncIterable<Uint8Array>> {
		request.signal?.throwIfAborted();
		return this.openStream(callOf(request));
	}

	/** Performs a call and makes its answer. Rejects with an ApiError. */
	answer(call: Call): Promise<Answer> {
		return this.#guarded(call, async () => {
			const request = this.#route(call);
			if (!request) return this.#documents.answer(call);
			const end = this.#requests.begin(request);
			try {
				const answer = await this.#perform(request);
				end(answer.code);
				return answer;
			} catch (error) {
				const known = this.#errorOf(call, error);
				end(known.code);
				throw known;
			}
		});
	}

	async #perform(request: ResourceRequest): Promise<Answer> {
		const { call } = request;
		const verb = verbOf(request);
		const format = negotiate(call.accept, call.query);
		return answerOf(await verb(this.#context, request), format, this.#context.clock.now());
	}

	/**
	 * Opens a watch that its caller reads at its own pace; `wake` is called when there may be something to
	 * read. Throws an ApiError.
	 */
	readWatch(call: Call, wake: () => void): WatchReader {
		let end: RequestEnd = () => undefined;
		try {
			const request = this.#watched(call);
			end = this.#requests.beginWatch(request);
			return new WatchReader(this.#context, request, { wake, over: () => end(200) });
		} catch (error) {
			const known = this.#errorOf(call, error);
			end(known.code);
			throw known;
		}
	}

	/** Opens a watch. Throws an ApiError. */
	openWatch(call: Call, sink: NoticeSink): ApiWatch {
		let end: RequestEnd = () => undefined;
		try {
			const request = this.#watched(call);
			end = this.#requests.beginWatch(request);
			const watch = openWatch(this.#context, request, {
				notices: (batch) => sink.notices(batch),
				ended: (error) => {
					end(200);
					sink.ended(error && this.#errorOf(call, error));
				},
			});
			return {
				stop: () => {
					end(200);
					watch.stop();
				},
			};
		} catch (error) {
			const known = this.#errorOf(call, error);
			end(known.code);
			throw known;
		}
	}

	/** Opens a stream of bytes. Rejects with an ApiError. */
	openStream(call: Call): Promise<AsyncIterable<Uint8Array>> {
		return this.#guarded(call, async () => {
			if (isMetrics(call)) return encoded(this.#metrics.pieces());
			const request = this.#route(call);
			const stream = request && subresourceOf(request)?.stream;
			if (!request || !stream) throw unknownPath();
			return stream(this.#context, request);
		});
	}

	/** How a call is to be answered: at once, by a watch or by a stream of bytes. Throws an ApiError. */
	flowOf(call: Call): Flow {
		const request = this.#route(call);
		if (isMetrics(call)) return { type: 'stream', contentType: METRICS_CONTENT_TYPE };
		if (!request) return { type: 'answer' };
		if (isWatch(request)) return { type: 'watch', request };
		const streams = call.method === 'GET' && subresourceOf(request)?.stream !== undefined;
		return streams ? { type: 'stream', contentType: 'text/plain' } : { type: 'answer' };
	}

	#route(call: Call): ResourceRequest | undefined {
		const { failure } = this.#context.cache;
		const request = routeToResource(this.#context.cache, call);
		if (request && failure) throw serviceUnavailable('the server has lost its store');
		return request;
	}

	#watched(call: Call): ResourceRequest {
		const request = this.#route(call);
		if (request?.name !== '' || call.method !== 'GET') throw unknownPath();
		return request;
	}

	async #guarded<T>(call: Call, act: () => Promise<T>): Promise<T> {
		try {
			return await act();
		} catch (error) {
			throw this.#errorOf(call, error);
		}
	}

	#errorOf({ method, path }: Call, error: unknown): ApiError {
		return apiErrorOf(error, (fault) => this.#context.onError(`${method} ${path}`, fault));
	}
}

/** See {@link ApiServer.flowOf}. */
export type Flow =
	| { readonly type: 'answer' }
	| { readonly type: 'stream'; readonly contentType: string }
	| { readonly type: 'watch'; readonly request: ResourceRequest };

async function* encoded(pieces: AsyncIterable<string>): AsyncIterable<Uint8Array> {
	for await (const piece of pieces) yield Buffer.from(piece);
}

function isMetrics({ method, path }: Call): boolean {
	return method === 'GET' && path === '/metrics';
}

function callOf({ method, path, query, body, contentType = '', accept = '', signal }: ApiRequest): Call {
	return {
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

function admissionOf(cache: ObjectCache, { runtimeTraits = () => undefined }: ApiServerOptions): Admission {
	const classes = new PriorityClasses(cache);
	return new Admission([
		new NamespaceLifecycle(cache),
		new PodTolerations(),
		new PodPriority(classes),
		new PriorityClassRules(classes),
		new PodFields(runtimeTraits),
	]);
}
