import { attempt } from '../../../base/attempt.ts';
import type { Clock } from '../../../base/clock.ts';
import { LruMap } from '../../../base/collections/lru-map.ts';
import { isRecord, own } from '../../../base/json/json.ts';
import { readJson } from '../../../base/json/json-reader.ts';
import { digestOf } from '../../digest.ts';
import type { Credential } from '../credentials/credential.ts';
import type { Endpoint } from '../hosts/endpoints.ts';
import type { HttpClient, RegistryAnswer } from '../http/http-client.ts';
import { checkTarget, sendFollowing } from '../redirects.ts';
import { RegistryError } from '../registry-error.ts';
import { statusError } from '../status-error.ts';

/**
 * Bearer tokens, which a registry demands from a service of its own (distribution's "token authentication"): by GET,
 * or by POST with OAuth 2 if there are credentials. Tokens are shared until they expire, and live in memory alone.
 */

/** What a token is for. */
export interface RegistryTokenRequest {
	readonly realm: URL;
	readonly service: string;
	readonly scopes: readonly string[];
	readonly credential: Credential | undefined;
	readonly endpoint: Endpoint;
	/** Whether the service may be on this machine. */
	readonly allowLoopback: boolean;
	readonly userAgent: string;
	readonly signal?: AbortSignal;
}

/** A token that the service has answered with, and when it expires, on the monotonic clock. */
interface Token {
	readonly value: string;
	readonly expiresAt: number;
}

/** The specification's default, and the minimum that docker assumes. */
const MIN_LIFETIME_S = 60;
/** The time before its end in which a token is not used any more: a request may wait that long. */
const MARGIN_MS = 10_000;
/** Of this many repositories and credentials, tokens are kept. */
const MAX_TOKENS = 1000;
const MAX_ANSWER_BYTES = 1024 * 1024;
/** With which registries without OAuth 2 answer a POST (as of containerd's list). */
const NO_OAUTH = [400, 401, 404, 405];

/** Fetches tokens, and keeps them until they expire. */
export class TokenSource {
	readonly #client: HttpClient;
	readonly #clock: Clock;
	readonly #tokens = new LruMap<Promise<Token>>(MAX_TOKENS);

	constructor(client: HttpClient, clock: Clock) {
		this.#client = client;
		this.#clock = clock;
	}

	/**
	 * The token for the request, from memory if possible. `rejected` is a token that the registry did not accept.
	 * Rejects with RegistryError.
	 */
	async token(request: RegistryTokenRequest, rejected?: string): Promise<string> {
		const key = keyOf(request);
		const known = await this.#tokens.get(key)?.catch(() => undefined);
		if (known && known.value !== rejected && known.expiresAt > this.#clock.monotonic()) return known.value;
		const fetched = this.#fetch(request);
		this.#tokens.set(key, fetched);
		try {
			return (await fetched).value;
		} catch (error) {
			if (this.#tokens.get(key) === fetched) this.#tokens.delete(key);
			throw error;
		}
	}

	async #fetch(request: RegistryTokenRequest): Promise<Token> {
		checkTarget(request.realm, request.endpoint);
		const { credential } = request;
		const kind = credential ? 'oauth' : 'anonymous';
		try {
			return await this.#read(credential ? await this.#ask(request, credential) : await this.#get(request));
		} catch (error) {
			if (!(error instanceof RegistryError)) throw error;
			throw error.prefixed(`failed to fetch ${kind} token`).prefixed('failed to authorize');
		}
	}

	async #ask(request: RegistryTokenRequest, credential: Credential): Promise<RegistryAnswer> {
		const answer = await this.#post(request, credential);
		if (!NO_OAUTH.includes(answer.status) || credential.username === '') return answer;
		answer.discard();
		return this.#get(request);
	}

	#get({ realm, service, scopes, credential, ...request }: RegistryTokenRequest): Promise<RegistryAnswer> {
		const url = new URL(realm);
		if (service) url.searchParams.set('service', service);
		for (const scope of scopes) url.searchParams.append('scope', scope);
		const { endpoint, allowLoopback, userAgent, signal } = request;
		const headers = { 'User-Agent': userAgent, Accept: 'application/json' };
		return sendFollowing(this.#client, {
			endpoint,
			request: {
				method: 'GET',
				url,
				headers,
				allowLoopback,
				...tlsFor(url, endpoint),
				...(signal && { signal }),
			},
			...(credential && { authorization: basicAuthorization(credential) }),
		});
	}

	#post(
		{ realm, service, scopes, ...request }: RegistryTokenRequest,
		credential: Credential,
	): Promise<RegistryAnswer> {
		const { endpoint, allowLoopback, userAgent, signal } = request;
		const { username, password, identityToken } = credential;
		const form = new URLSearchParams({
			service,
			client_id: 'stint',
			...(scopes.length > 0 && { scope: scopes.join(' ') }),
		});
		const grant = identityToken
			? { grant_type: 'refresh_token', refresh_token: identityToken }
			: { grant_type: 'password', username, password };
		for (const [name, value] of Object.entries(grant)) form.set(name, value);
		const headers = {
			'User-Agent': userAgent,
			Accept: 'application/json',
			'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8',
		};
		const body = new TextEncoder().encode(form.toString());
		// A redirect would carry the password elsewhere: it is not followed.
		return this.#client.send({
			method: 'POST',
			url: realm,
			headers,
			body,
			allowLoopback,
			...tlsFor(realm, endpoint),
			...(signal && { signal }),
		});
	}

	async #read(answer: RegistryAnswer): Promise<Token> {
		if (answer.status < 200 || answer.status > 299) throw await statusError(answer, this.#clock.now());
		const text = (await answer.read(MAX_ANSWER_BYTES)).toString('utf8');
		const value = attempt(() => readJson(text, { values: 1000, depth: 16 }).value);
		if (!isRecord(value)) throw new RegistryError('unable to decode token response', { kind: 'invalid' });
		const token = own(value, 'access_token') || own(value, 'token');
		if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token))
			throw new RegistryError('authorization server did not include a token in the response', {
				kind: 'invalid',
			});
		const seconds = Number(own(value, 'expires_in') ?? 0);
		const lifetimeMs = Math.max(Number.isFinite(seconds) ? seconds : 0, MIN_LIFETIME_S) * 1000;
		return { value: token, expiresAt: this.#clock.monotonic() + lifetimeMs - MARGIN_MS };
	}
}

/** The header of Basic authorization. */
export function basicAuthorization({ username, password }: Credential): string {
	return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** The TLS settings of the registry are also those of a token service on the same host. */
function tlsFor(url: URL, { base, tls }: Endpoint): Pick<Endpoint, 'tls'> {
	return tls && url.hostname === base.hostname ? { tls } : {};
}

/** Equal for requests whose tokens are interchangeable. A hash, so that the password is not kept once more. */
function keyOf({ realm, service, scopes, credential }: RegistryTokenRequest): string {
	return digestOf(JSON.stringify([realm.href, service, scopes, credential]));
}
