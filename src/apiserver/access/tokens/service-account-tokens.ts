import { createHash } from 'node:crypto';
import type { User } from '../../../api/contract/user.ts';
import type { KubeObject } from '../../../api/meta/object-meta.ts';
import type { Clock } from '../../../base/clock.ts';
import { quote } from '../../../base/quote.ts';
import { problemOfToken, userOfClaims } from '../../../plan/service-account/token-check.ts';
import {
	type ObjectClaim,
	TOKEN_ISSUER,
	type TokenClaims,
} from '../../../plan/service-account/token-claims.ts';
import type { ObjectCache } from '../../storage/object-cache.ts';
import { claimsOf, isSignedBy, type ParsedToken, parseToken, signedToken } from './json-web-token.ts';
import type { SigningKey, SigningKeyPair } from './signing-key.ts';

/** What an authenticator finds about a token. */
export type TokenVerdict =
	/** The token is not of a kind that the authenticator knows. */
	| { readonly kind: 'unknown' }
	/** The token is of its kind and not valid. */
	| { readonly kind: 'invalid'; readonly error: string }
	/** `audiences` are those of the requested ones that the token is valid for. */
	| { readonly kind: 'valid'; readonly user: User; readonly audiences: readonly string[] };

/** The audience that tokens for the API server have. */
export const API_AUDIENCES: readonly string[] = [TOKEN_ISSUER];

/**
 * Issues and checks the tokens of ServiceAccounts (upstream: pkg/serviceaccount/jwt.go).
 *
 * 1. Each use of a token checks its times, its audiences, its ServiceAccount and the object that it is bound
 *    to. Only the result of verifying the signature, which cannot change, is remembered.
 * 2. The server's memory holds no token: signatures are remembered by the SHA-256 of the token, for
 *    {@link MAX_REMEMBERED} tokens at most.
 */
export class ServiceAccountTokens {
	readonly key: SigningKey;
	readonly #cache: ObjectCache;
	readonly #clock: Clock;
	/** The claims of tokens with a valid signature, the least recently used first. */
	readonly #verified = new Map<string, TokenClaims>();

	constructor({
		key,
		cache,
		clock,
	}: {
		readonly key: SigningKey;
		readonly cache: ObjectCache;
		readonly clock: Clock;
	}) {
		this.key = key;
		this.#cache = cache;
		this.#clock = clock;
	}

	/** Resolves to a token with these claims. Rejects if the key cannot be loaded. */
	async issue(claims: TokenClaims): Promise<string> {
		return signedToken(claims, await this.key.load());
	}

	/** Resolves to what is known about a token that must be valid for one of `audiences`. */
	async check(token: string, audiences: readonly string[]): Promise<TokenVerdict> {
		const digest = createHash('sha256').update(token).digest('base64');
		const claims = this.#recall(digest) ?? (await this.#verify(token, digest));
		if (!('jti' in claims)) return claims;
		const accepted = claims.aud.filter((audience) => audiences.includes(audience));
		if (accepted.length === 0) {
			const error = `token audiences ${listed(claims.aud)} is invalid for the target audiences ${listed(audiences)}`;
			return { kind: 'invalid', error };
		}
		const error = problemOfToken(claims, this.#objectsOf(claims), this.#clock.now());
		if (error !== undefined) return { kind: 'invalid', error };
		return { kind: 'valid', user: userOfClaims(claims), audiences: accepted };
	}

	#recall(digest: string): TokenClaims | undefined {
		const claims = this.#verified.get(digest);
		if (claims && this.#verified.delete(digest)) this.#verified.set(digest, claims);
		return claims;
	}

	/** The claims of a token with a valid signature, or why it has none. */
	async #verify(token: string, digest: string): Promise<TokenClaims | TokenVerdict> {
		const parsed = parseToken(token);
		if (parsed?.payload.iss !== TOKEN_ISSUER) return { kind: 'unknown' };
		const claims = verifiedClaims(parsed, await this.key.load());
		if (typeof claims === 'string') return { kind: 'invalid', error: claims };
		this.#verified.set(digest, claims);
		const [oldest] = this.#verified.keys();
		if (this.#verified.size > MAX_REMEMBERED && oldest !== undefined) this.#verified.delete(oldest);
		return claims;
	}

	#objectsOf({ 'kubernetes.io': claims }: TokenClaims): Parameters<typeof problemOfToken>[1] {
		const { namespace, serviceaccount, pod, secret, node } = claims;
		const find = (resource: string, scope: string, claim: ObjectClaim | undefined): KubeObject | undefined =>
			claim && this.#cache.of('', resource)?.get(scope, claim.name)?.object;
		return {
			account: find('serviceaccounts', namespace, serviceaccount),
			pod: find('pods', namespace, pod),
			secret: find('secrets', namespace, secret),
			node: find('nodes', '', node),
		};
	}
}

const MAX_REMEMBERED = 4096;

/** The claims, or the error. Its texts are those of upstream and of the library that it uses. */
function verifiedClaims(parsed: ParsedToken, key: SigningKeyPair): TokenClaims | string {
	if (parsed.keyId !== undefined && parsed.keyId !== key.id) return 'invalid signature, no keys found';
	if (!isSignedBy(parsed, key)) return 'go-jose/go-jose: error in cryptographic primitive';
	return (
		claimsOf(parsed) ??
		'service account token claims could not be validated due to unexpected validation error'
	);
}

/** Go's `%q` of a list of strings. */
function listed(texts: readonly string[]): string {
	return `[${texts.map(quote).join(' ')}]`;
}
