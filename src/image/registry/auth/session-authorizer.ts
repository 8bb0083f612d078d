import type { Credential } from '../credentials/credential.ts';
import type { Endpoint } from '../hosts/endpoints.ts';
import type { RegistryAnswer } from '../http/http-client.ts';
import { RegistryError } from '../registry-error.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import { mergeScopes } from './scopes.ts';
import { basicAuthorization, type TokenSource } from './token-source.ts';

/** What an {@link SessionAuthorizer} is for. */
export interface SessionAuthorizerOptions {
	readonly endpoint: Endpoint;
	/** What the tokens must permit. */
	readonly scopes: readonly string[];
	/** Undefined for anonymous access. */
	readonly credential: Credential | undefined;
	readonly tokens: TokenSource;
	readonly userAgent: string;
}

/** How the registry wants requests to be authorized; unknown before its first challenge. */
type Scheme =
	| { readonly kind: 'none' }
	| { readonly kind: 'basic' }
	| {
			readonly kind: 'bearer';
			readonly realm: URL;
			readonly service: string;
			readonly scopes: readonly string[];
			readonly allowLoopback: boolean;
	  };

/** Authorizes the requests of one session by the challenges of the registry (upstream: containerd's dockerAuthorizer). */
export class SessionAuthorizer {
	readonly #options: SessionAuthorizerOptions;
	#scheme: Scheme = { kind: 'none' };

	constructor(options: SessionAuthorizerOptions) {
		this.#options = options;
	}

	/** The Authorization header of the next request; undefined for none. `rejected` is one that was not accepted. */
	async header(signal: AbortSignal | undefined, rejected?: string): Promise<string | undefined> {
		const { credential, tokens, endpoint, userAgent } = this.#options;
		const scheme = this.#scheme;
		if (scheme.kind === 'none') return undefined;
		if (scheme.kind === 'basic') return credential && basicAuthorization(credential);
		if (credential?.registryToken) return `Bearer ${credential.registryToken}`;
		const request = { ...scheme, credential, endpoint, userAgent, ...(signal && { signal }) };
		return `Bearer ${await tokens.token(request, rejected?.slice('Bearer '.length))}`;
	}

	/**
	 * Learns from the answer 401 how requests must be authorized. Throws RegistryError if that is impossible, or if
	 * `wasAuthorized`, which says that the request already was: then the credentials are not sufficient.
	 */
	learn(answer: RegistryAnswer, wasAuthorized: boolean): void {
		const challenges = parseChallenges(answer.headers['www-authenticate'] ?? '');
		const challenge = challenges.find(({ scheme }) => scheme === 'bearer' || scheme === 'basic');
		if (!challenge) throw denied('failed to find supported auth scheme: not implemented');
		if (challenge.scheme === 'basic') this.#learnBasic();
		else this.#learnBearer(challenge, { answer, wasAuthorized });
	}

	#learnBearer(
		{ parameters }: Challenge,
		{ answer, wasAuthorized }: { readonly answer: RegistryAnswer; readonly wasAuthorized: boolean },
	): void {
		const problem = parameters.get('error');
		if (wasAuthorized && problem)
			throw denied(`server message: ${problem.slice(0, 64)}: authorization failed`);
		const text = parameters.get('realm');
		if (text === undefined) throw denied('no realm specified for token auth challenge');
		const realm = URL.parse(text, answer.request.url);
		if (!realm) throw denied('invalid token auth challenge realm');
		const { endpoint, scopes } = this.#options;
		this.#scheme = {
			kind: 'bearer',
			realm,
			service: parameters.get('service') ?? '',
			scopes: mergeScopes(scopes, (parameters.get('scope') ?? '').split(' ')),
			allowLoopback: endpoint.allowsLoopback || answer.isFromLoopback || realm.host === endpoint.base.host,
		};
	}

	#learnBasic(): void {
		const { credential } = this.#options;
		if (!credential?.username || !credential.password)
			throw denied('authorization failed: no basic auth credentials');
		this.#scheme = { kind: 'basic' };
	}
}

function denied(message: string): RegistryError {
	return new RegistryError(message, { kind: 'denied', status: 401 });
}
