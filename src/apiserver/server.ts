/**
 * The API server: serves the Kubernetes API from a store, to callers in this process and over HTTPS.
 *
 * Boundary: this folder knows the kinds only through `ResourceDefinition` (schema, defaults, strategy), apart
 * from the few with behaviour of their own here: Pods (binding, eviction, logs, admission), Namespaces,
 * Events, ServiceAccounts (tokens), PriorityClasses, RuntimeClasses, the objects of storage (admission), and Services with
 * their addresses (allocation/ reads ServiceCIDRs and writes IPAddresses). It uses the store only through store/store.ts.
 * Controllers and node agents use it only through `ApiTransport`.
 *
 * A request passes through these stages; read the files in this order:
 * 1. HTTPS only: in http/, listener.ts, exchange.ts, connections.ts, slow-clients.ts, streams/upgrades.ts, and
 *    proxy/proxy-answer.ts; then access/authentication.ts
 * 2. route: server.ts, route.ts, dispatch.ts, subresources/subresources.ts; for other paths
 *    documents/non-resource-paths.ts; then authorize: access/authorization.ts
 * 3. decode: http/body.ts, verbs/decode-object.ts, subresources/decode-create.ts
 * 4. verb: a file in verbs/ or subresources/ for each
 * 5. write path, the same for all verbs: storage/guaranteed-update.ts and latest-state.ts; it calls admission/
 *    and the strategy of the kind
 * 6. store: in storage/, compare-and-swap.ts or dry-run.ts, stored-object.ts, object-size.ts; allocation/service-writer.ts
 * 7. encode: http/negotiate.ts, respond.ts, verbs/watch-events.ts
 * Reads and watches are served by storage/ (object-cache.ts, resource-cache.ts, view-cache.ts, change-window.ts) and
 * verbs/watch-reader.ts, with pushed-watch.ts for callers in this process. maintenance/ does the periodic work.
 *
 * Invariants:
 * 1. The resourceVersion of an object is the store's revision of its last write, and no other number.
 * 2. The cache is never ahead of the store, and changes in whole batches. A caller in this process sees the
 *    result of its own write in the cache as soon as the write resolves.
 * 3. Objects in the cache are frozen. A change always makes a new object, so readers need no copies.
 * 4. Each error that leaves the server is an `ApiError` with a metav1.Status; messages that upstream has are
 *    the same here, letter for letter.
 * 5. No request holds the event loop for more than some tens of milliseconds: long work pauses (request.ts).
 * 6. What the server keeps in memory for a client has a limit: bodies, connections, and responses that it
 *    does not read.
 */

import { closedBy, type Duplex } from '../api/contract/duplex.ts';
import type {
	ApiRequest,
	ApiResponse,
	ApiTransport,
	ApiWatch,
	ApiWatchSink,
} from '../api/contract/transport.ts';
import { type ApiError, unknownPath } from '../api/errors/api-error.ts';
import { viewResources, virtualResources } from '../api/resources.ts';
import { METRICS_CONTENT_TYPE, type Metrics } from '../base/metrics.ts';
import { UNLIMITED_TURN } from '../base/turn.ts';
import { DEFAULT_SERVICE_RANGE } from '../plan/services/allocation/ranges.ts';
import { attributesOf, checkAllowed, connectAttributesOf } from './access/authorization.ts';
import { BOOTSTRAP_AUTHORIZER } from './access/bootstrap-authorizer.ts';
import { ServiceAccountTokens } from './access/tokens/service-account-tokens.ts';
import { SigningKey } from './access/tokens/signing-key.ts';
import { TokenAuthenticator } from './access/tokens/token-authenticator.ts';
import { attributesFor } from './admission/admission.ts';
import { ServiceAddresses } from './allocation/service-addresses.ts';
import type { ServerContext } from './context.ts';
import { isWatch, subresourceOf, verbOf } from './dispatch.ts';
import { Documents } from './documents/non-resource-paths.ts';
import { apiErrorOf, storeLost } from './errors.ts';
import { negotiate } from './http/negotiate.ts';
import { Housekeeping } from './maintenance/maintenance.ts';
import { addObjectCounts } from './maintenance/object-counts.ts';
import { ValuePacker } from './maintenance/value-packer.ts';
import type { ProxyTarget } from './proxy/proxy-target.ts';
import { type Call, callOf, type ResourceRequest, warn } from './request.ts';
import { type RequestEnd, RequestMetrics } from './request-metrics.ts';
import { type Answer, answerOf } from './respond.ts';
import { routeToResource } from './route.ts';
import { type ApiServerOptions, admissionOf } from './server-options.ts';
import { ObjectCache } from './storage/object-cache.ts';
import type { PortOpener } from './subresources/port-forward.ts';
import { type NoticeSink, PushedWatch } from './verbs/pushed-watch.ts';
import { watchEvent } from './verbs/watch-events.ts';
import { WatchReader } from './verbs/watch-reader.ts';

/**
 * The API server. As an {@link ApiTransport} it accepts objects and returns frozen ones, which all readers in
 * the process share. http/ converts requests and responses over HTTPS. Both ways pass through the same
 * stages.
 */
export class ApiServer implements ApiTransport {
	/** Finds the users of bearer tokens; the listener adds those that it accepts. */
	readonly tokens: TokenAuthenticator;
	readonly #context: ServerContext;
	readonly #documents: Documents;
	readonly #housekeeping: Housekeeping;
	readonly #packer: ValuePacker | undefined;
	readonly #metrics: Metrics;
	readonly #requests: RequestMetrics;

	constructor(options: ApiServerOptions) {
		const { store, resources, clock, random, version, onError } = options;
		const { serviceRange = DEFAULT_SERVICE_RANGE } = options;
		const cache = new ObjectCache({
			store,
			resources,
			virtual: virtualResources,
			views: viewResources,
			...(options.discardDamaged && { discardDamaged: true }),
			onError: (error) => onError('object cache', error),
			onStoreLost: options.onStoreLost ?? ((error) => onError('store', error)),
		});
		const accountTokens = accountTokensOf(cache, options);
		this.tokens = new TokenAuthenticator(accountTokens);
		this.#context = {
			tokens: this.tokens,
			accountTokens,
			store,
			cache,
			clock,
			random,
			onError,
			watches: new Set(),
			turn: options.turn ?? UNLIMITED_TURN,
			nodeApi: options.nodeApi ?? (() => undefined),
			admission: admissionOf(cache, options),
			serviceAddresses: new ServiceAddresses(cache, { random, range: serviceRange }),
			authorizer: options.authorizer ?? BOOTSTRAP_AUTHORIZER,
		};
		this.#documents = new Documents({
			resources,
			version,
			failure: () => cache.failure,
			key: accountTokens.key,
			url: options.url ?? (() => undefined),
		});
		this.#metrics = options.metrics;
		addObjectCounts(options.metrics, cache);
		this.#requests = new RequestMetrics(options.metrics, clock);
		this.#housekeeping = new Housekeeping(this.#context);
		const { loadCompression } = options;
		const packing = { cache, clock, onError: (error: unknown) => onError('value packer', error) };
		this.#packer = loadCompression && new ValuePacker({ ...packing, loadCompression });
	}

	/** Loads all objects from the store. Call it once, before the first request. */
	async start(): Promise<void> {
		await this.#context.cache.start();
		this.#housekeeping.start();
		this.#packer?.start();
	}

	/**
	 * Stops the periodic work, all watches and the watch on the store. All requests must have been answered.
	 */
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
		const { codec } = this.#routeToCollection(call).resource;
		const notified: NoticeSink = {
			notices: (batch) => sink.events(batch.map((notice) => watchEvent(codec, notice))),
			ended: (error) => sink.ended(error === undefined ? undefined : this.#errorOf(call, error)),
		};
		return new PushedWatch((wake) => this.readWatch(call, wake), notified, call.signal);
	}

	async stream(request: ApiRequest): Promise<AsyncIterable<Uint8Array>> {
		request.signal?.throwIfAborted();
		return this.openStream(callOf(request));
	}

	async duplex(request: ApiRequest): Promise<Duplex> {
		request.signal?.throwIfAborted();
		return this.openDuplex(callOf(request), () => undefined);
	}

	/** Performs a call and resolves to its response. Rejects with an ApiError. */
	answer(call: Call): Promise<Answer> {
		return this.#guarded(call, async () => {
			const request = this.#allowed(call);
			if (!request) return this.#documents.answer(call);
			const end = this.#requests.start(request);
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
	 * Opens a watch that the caller reads at its own pace, for connections. It calls `wake` when there may be
	 * something to read. Throws an ApiError.
	 */
	readWatch(call: Call, wake: () => void): WatchReader {
		let end: RequestEnd = () => undefined;
		try {
			const request = this.#routeToCollection(call);
			end = this.#requests.startWatch(request);
			return new WatchReader(this.#context, request, { wake, ended: () => end(200) });
		} catch (error) {
			const known = this.#errorOf(call, error);
			end(known.code);
			throw known;
		}
	}

	/** Opens a stream of bytes: a container log or the metrics. Rejects with an ApiError. */
	openStream(call: Call): Promise<AsyncIterable<Uint8Array>> {
		return this.#guarded(call, async () => {
			const request = this.#allowed(call);
			if (isMetrics(call)) return encodedPieces(this.#metrics.pieces());
			const stream = request && subresourceOf(request)?.stream;
			if (!request || !stream) throw unknownPath();
			return stream(this.#context, request);
		});
	}

	/**
	 * Opens a two-way stream; an abort of the call's signal closes it. Calls `checkConnection` once the request has
	 * been checked and before the session is opened: it throws an ApiError if the connection cannot carry a session.
	 * Rejects with an ApiError.
	 */
	openDuplex(call: Call, checkConnection: () => void): Promise<Duplex> {
		return this.#connect(call, async (request, end) => {
			const prepare = subresourceOf(request)?.duplex;
			if (!prepare) throw unknownPath();
			const open = prepare(this.#context, request);
			await this.#admitConnection(request, checkConnection);
			const session = closedBy(call.signal, await open());
			void session.closed.then(end);
			return session;
		});
	}

	/**
	 * The same for a connection on which the client opens sessions to the ports of a Pod. The caller calls `end` once the
	 * connection is closed.
	 */
	openPorts(call: Call, checkConnection: () => void): Promise<OpenPorts> {
		return this.#connect(call, async (request, end) => {
			const prepare = subresourceOf(request)?.ports;
			if (!prepare) throw unknownPath();
			const opener = prepare(this.#context, request);
			await this.#admitConnection(request, checkConnection);
			return { open: (port) => this.#guarded(call, () => opener.open(port)), end };
		});
	}

	/** Opens the way to a Pod for a request to a subresource `proxy`. The caller calls `end` with the code of the answer. */
	openProxy(call: Call): Promise<OpenProxy> {
		return this.#guarded(call, async () => {
			const request = this.#allowed(call);
			const prepare = request && subresourceOf(request)?.proxy;
			if (!request || !prepare) throw unknownPath();
			return this.#started(request, async (end) => {
				const target = prepare(this.#context, request);
				await this.#admitConnection(request, () => undefined);
				return { target, end };
			});
		});
	}

	async #connect<T>(call: Call, open: (request: ResourceRequest, end: () => void) => Promise<T>): Promise<T> {
		return this.#guarded(call, async () => {
			const request = this.#allowed(call);
			if (!request) throw unknownPath();
			checkAllowed(this.#context.authorizer, connectAttributesOf(call, request));
			return this.#started(request, (end) => open(request, () => end(SWITCHING_PROTOCOLS)));
		});
	}

	/** Opens a connection that counts as open until the function that `open` receives is called, or until `open` fails. */
	async #started<T>(request: ResourceRequest, open: (end: RequestEnd) => Promise<T>): Promise<T> {
		const end = this.#requests.startConnect(request);
		try {
			return await open(end);
		} catch (error) {
			const known = this.#errorOf(request.call, error);
			end(known.code);
			throw known;
		}
	}

	async #admitConnection(request: ResourceRequest, checkConnection: () => void): Promise<void> {
		await this.#context.admission.validate(attributesFor(request, CONNECT));
		checkConnection();
	}

	/**
	 * How to answer a call: with one response, a watch or a stream. Throws an ApiError. It does not authorize: the
	 * method that answers does.
	 */
	flowOf(call: Call): Flow {
		const request = this.#route(call);
		if (isMetrics(call)) return { type: 'stream', contentType: METRICS_CONTENT_TYPE };
		if (!request) return { type: 'answer' };
		if (isWatch(request)) return { type: 'watch', request };
		const subresource = subresourceOf(request);
		if (subresource?.duplex && (call.method === 'GET' || call.method === 'POST')) return { type: 'duplex' };
		const streams = call.method === 'GET' && subresource?.stream !== undefined;
		return streams ? { type: 'stream', contentType: 'text/plain' } : { type: 'answer' };
	}

	/** Routes and authorizes a call; undefined if its path names no resource. Throws an ApiError. */
	#allowed(call: Call): ResourceRequest | undefined {
		const request = this.#route(call);
		checkAllowed(this.#context.authorizer, attributesOf(call, request));
		if (request?.definition.deprecation) warn(call, request.definition.deprecation);
		return request;
	}

	#route(call: Call): ResourceRequest | undefined {
		const { failure } = this.#context.cache;
		const request = routeToResource(this.#context.cache, call);
		if (request && failure) throw storeLost();
		return request;
	}

	#routeToCollection(call: Call): ResourceRequest {
		const request = this.#allowed(call);
		if (request?.name !== '' || call.method !== 'GET') throw unknownPath();
		return request;
	}

	async #guarded<T>(call: Call, operation: () => Promise<T>): Promise<T> {
		try {
			return await operation();
		} catch (error) {
			throw this.#errorOf(call, error);
		}
	}

	#errorOf({ method, path }: Call, error: unknown): ApiError {
		return apiErrorOf(error, (fault) => this.#context.onError(`${method} ${path}`, fault));
	}
}

/** What admission receives of a request for a two-way stream. */
const CONNECT = {
	operation: 'CONNECT',
	object: undefined,
	old: undefined,
	dryRun: false,
	options: undefined,
} as const;

/** See {@link ApiServer.openPorts}. */
export interface OpenPorts extends PortOpener {
	end(): void;
}

/** See {@link ApiServer.openProxy}. */
export interface OpenProxy {
	readonly target: ProxyTarget;
	readonly end: RequestEnd;
}

/** See {@link ApiServer.flowOf}. */
export type Flow =
	| { readonly type: 'answer' }
	/** A two-way stream, which needs an upgraded connection. */
	| { readonly type: 'duplex' }
	| { readonly type: 'stream'; readonly contentType: string }
	| { readonly type: 'watch'; readonly request: ResourceRequest };

async function* encodedPieces(pieces: AsyncIterable<string>): AsyncIterable<Uint8Array> {
	for await (const piece of pieces) yield Buffer.from(piece);
}

/** The status code of an upgraded connection, for the metrics. */
const SWITCHING_PROTOCOLS = 101;

function isMetrics({ method, path }: Call): boolean {
	return method === 'GET' && path === '/metrics';
}

function accountTokensOf(
	cache: ObjectCache,
	{ clock, onError, signingKeyPath: path }: ApiServerOptions,
): ServiceAccountTokens {
	const onReplaced = (message: string): void => onError('tokens', new Error(message));
	const key = new SigningKey({ ...(path !== undefined && { path }), onReplaced });
	return new ServiceAccountTokens({ key, cache, clock });
}
