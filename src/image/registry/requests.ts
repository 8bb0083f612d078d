import { type Clock, sleep } from '../../base/clock.ts';
import { backoffDelayMs } from '../../base/queue/backoff.ts';
import type { Random } from '../../base/random.ts';
import { SessionAuthorizer } from './auth/session-authorizer.ts';
import type { TokenSource } from './auth/token-source.ts';
import type { Credential } from './credentials/credential.ts';
import type { Endpoint } from './hosts/endpoints.ts';
import type { HttpClient, HttpRequest, RegistryAnswer, RequestBody } from './http/http-client.ts';
import { checkTarget, sendFollowing } from './redirects.ts';
import { RegistryError } from './registry-error.ts';
import { statusError } from './status-error.ts';

/** The parts that all sessions of a program share. */
export interface Shared {
	readonly client: HttpClient;
	readonly clock: Clock;
	readonly random: Random;
	readonly tokens: TokenSource;
	readonly userAgent: string;
}

/** A request to an endpoint. */
export interface RegistryRequest {
	readonly method: string;
	/** Behind the repository's path, such as `manifests/latest`; or a whole URL, such as the location of an upload. */
	readonly target: string | URL;
	readonly query?: Readonly<Record<string, string>>;
	readonly headers?: Readonly<Record<string, string>>;
	readonly body?: RequestBody;
	readonly bodyBytes?: number;
	readonly signal?: AbortSignal;
}

/** How often a request is sent while the registry is not available, and the delays between, with jitter. */
const MAX_ATTEMPTS = 3;
const BACKOFF = { baseMs: 500, capMs: 8000 };
/** The longest `Retry-After` that is waited for. After a longer one the caller's back-off is the better place to wait. */
const MAX_RETRY_AFTER_MS = 20_000;

/**
 * Requests to one repository at one endpoint with one credential: authorized, redirected, and sent again while the
 * registry is overloaded.
 */
export class Session {
	readonly endpoint: Endpoint;
	readonly credential: Credential | undefined;
	readonly #shared: Shared;
	readonly #authorizer: SessionAuthorizer;
	/** Whether failed requests are sent again. If there is a further endpoint, that is asked instead. */
	readonly #retries: boolean;

	constructor(options: {
		readonly shared: Shared;
		readonly endpoint: Endpoint;
		readonly credential: Credential | undefined;
		readonly scopes: readonly string[];
		readonly retries: boolean;
	}) {
		const { shared, endpoint, credential, scopes } = options;
		this.endpoint = endpoint;
		this.credential = credential;
		this.#shared = shared;
		this.#retries = options.retries;
		const { tokens, userAgent } = shared;
		this.#authorizer = new SessionAuthorizer({ endpoint, scopes, credential, tokens, userAgent });
	}

	/**
	 * Sends the request. Resolves with the answer, whatever its status, except that a status 401 that authorization
	 * does not cure, and overload that does not end, reject as all failures do: with RegistryError.
	 */
	send(request: RegistryRequest): Promise<RegistryAnswer> {
		return this.#repeat(request, () => this.#attempt(request));
	}

	/**
	 * As {@link succeed}, and reads the body; only its beginning if it is longer than `maxBytes`. A body that is cut off
	 * is requested once more.
	 */
	read(
		request: RegistryRequest,
		maxBytes: number,
	): Promise<{ readonly answer: RegistryAnswer; readonly bytes: Buffer }> {
		return this.#repeat(request, async () => {
			const answer = await this.#attempt(request);
			if (answer.status < 200 || answer.status > 299) throw await this.errorOf(answer);
			return { answer, bytes: await answer.read(maxBytes) };
		});
	}

	/** As {@link send}, but rejects for any status that is not a success. */
	async succeed(request: RegistryRequest): Promise<RegistryAnswer> {
		const answer = await this.send(request);
		if (answer.status >= 200 && answer.status < 300) return answer;
		throw await statusError(answer, this.#shared.clock.now());
	}

	/** The error for an answer that the caller does not accept. */
	errorOf(answer: RegistryAnswer): Promise<RegistryError> {
		return statusError(answer, this.#shared.clock.now());
	}

	#delayBefore(attempt: number, { kind, failure }: RegistryError): number | undefined {
		const isTemporary = kind === 'rate-limited' || kind === 'unavailable' || kind === 'timed-out';
		if (!isTemporary || !this.#retries || attempt >= MAX_ATTEMPTS) return undefined;
		const { retryAfterMs = 0 } = failure;
		if (retryAfterMs > MAX_RETRY_AFTER_MS) return undefined;
		// The jitter must not shorten what the registry wants.
		return Math.max(backoffDelayMs(BACKOFF, attempt), retryAfterMs / 0.75);
	}

	/** The result of `act`, which is repeated while it fails for a reason that may pass. */
	async #repeat<T>(request: RegistryRequest, act: () => Promise<T>): Promise<T> {
		const { clock, random } = this.#shared;
		for (let attempt = 1; ; attempt += 1) {
			try {
				return await act();
			} catch (error) {
				const delayMs = error instanceof RegistryError ? this.#delayBefore(attempt, error) : undefined;
				if (delayMs === undefined || !isRepeatable(request, error)) throw error;
				await sleep(clock, delayMs * (0.75 + random.next() / 2), request.signal);
				request.signal?.throwIfAborted();
			}
		}
	}

	/** Rejects for a status that says that a later request may succeed. */
	async #attempt(request: RegistryRequest): Promise<RegistryAnswer> {
		const answer = await this.#authorized(request);
		const { status } = answer;
		if (status === 408 || status === 429 || status >= 500) throw await this.errorOf(answer);
		return answer;
	}

	async #authorized(request: RegistryRequest): Promise<RegistryAnswer> {
		const { client } = this.#shared;
		const { endpoint } = this;
		const sent = this.#httpRequest(request);
		// A location elsewhere gets no credentials.
		const isOwn = sent.url.origin === endpoint.base.origin;
		let authorization = isOwn ? await this.#authorizer.header(request.signal) : undefined;
		for (let refusals = 0; ; refusals += 1) {
			const answer = await sendFollowing(client, {
				endpoint,
				request: sent,
				...(authorization && { authorization }),
			});
			if (answer.status !== 401 || !isOwn || answer.request.url.origin !== sent.url.origin) return answer;
			this.#authorizer.learn(answer, refusals > 0);
			const next = await this.#authorizer.header(request.signal, authorization);
			if (next === undefined || next === authorization || refusals > 0) throw await this.errorOf(answer);
			answer.discard();
			authorization = next;
		}
	}

	#httpRequest({ method, target, query, headers, body, bodyBytes, signal }: RegistryRequest): HttpRequest {
		const { base, path, namespace, tls } = this.endpoint;
		const { userAgent } = this.#shared;
		const url = target instanceof URL ? new URL(target) : new URL(`${base.href}/${path}/${target}`);
		if (url.origin !== base.origin) checkTarget(url, this.endpoint);
		for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value);
		if (namespace && url.origin === base.origin) url.searchParams.set('ns', namespace);
		return {
			method,
			url,
			headers: { 'User-Agent': userAgent, ...headers },
			// The user named this host, which may be a name of this machine. Redirects are checked as they come.
			allowLoopback: url.origin === base.origin || this.endpoint.allowsLoopback,
			...(body && { body }),
			...(bodyBytes !== undefined && { bodyBytes }),
			...(tls && url.origin === base.origin && { tls }),
			...(signal && { signal }),
		};
	}
}

/** Whether the request may be sent once more: it had no effect, or the registry refused it before it had one. */
function isRepeatable({ method, body }: RegistryRequest, error: unknown): boolean {
	if (method === 'GET' || method === 'HEAD' || method === 'DELETE') return true;
	const isRefused = error instanceof RegistryError && error.kind === 'rate-limited';
	return isRefused && typeof body !== 'function';
}
