import { createHash, timingSafeEqual } from 'node:crypto';
import type { User } from '../../../api/contract/user.ts';
import { secrets } from '../../../api/core/secret/definition.ts';
import { serviceAccounts } from '../../../api/core/serviceaccount/definition.ts';
import type { KubeObject } from '../../../api/meta/object-meta.ts';
import type { Clock } from '../../../base/clock.ts';
import { quote } from '../../../base/quote.ts';
import {
	LEGACY_ISSUER,
	type LegacyClaims,
	legacyNamesOf,
	problemOfLegacyToken,
	userOfLegacyToken,
} from '../../../plan/service-account/legacy-token.ts';
import { problemOfToken, userOfClaims } from '../../../plan/service-account/token-check.ts';
import {
	type ObjectClaim,
	TOKEN_ISSUER,
	type TokenClaims,
} from '../../../plan/service-account/token-claims.ts';
import { cachedObject } from '../../storage/cached-objects.ts';
import type { ObjectCache } from '../../storage/object-cache.ts';
import {
	claimsOf,
	isSignedBy,
	legacyClaimsOf,
	type ParsedToken,
	parseToken,
	signedToken,
} from './json-web-token.ts';
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
	readonly #verified = new Map<string, TokenClaims | LegacyClaims>();

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
	async issue(claims: TokenClaims | LegacyClaims): Promise<string> {
		return signedToken(claims, await this.key.load());
	}

	/** Resolves to what is known about a token that must be valid for one of `audiences`. */
	async check(token: string, audiences: readonly string[]): Promise<TokenVerdict> {
		const digest = createHash('sha256').update(token).digest('base64');
		const claims = this.#recall(digest) ?? (await this.#verify(token, digest));
		if (!('iss' in claims)) return claims;
		if (!('jti' in claims)) return this.#checkLegacy(token, claims, audiences);
		const accepted = claims.aud.filter((audience) => audiences.includes(audience));
		if (accepted.length === 0) {
			return { kind: 'invalid', error: wrongAudiences(claims.aud, audiences) };
		}
		const error = problemOfToken(claims, this.#objectsOf(claims), this.#clock.now());
		if (error !== undefined) return { kind: 'invalid', error };
		return { kind: 'valid', user: userOfClaims(claims), audiences: accepted };
	}

	/** A token of a Secret is valid for the API server only, as long as the Secret holds it. */
	#checkLegacy(token: string, claims: LegacyClaims, audiences: readonly string[]): TokenVerdict {
		const accepted = API_AUDIENCES.filter((audience) => audiences.includes(audience));
		if (accepted.length === 0) return { kind: 'invalid', error: wrongAudiences(API_AUDIENCES, audiences) };
		const names = legacyNamesOf(claims);
		const { namespace } = names;
		const secret = cachedObject(this.#cache, secrets, { namespace, name: names.secret });
		const account = cachedObject(this.#cache, serviceAccounts, { namespace, name: names.account });
		const isHeld = isSameToken(token, secret?.data?.token);
		const error = problemOfLegacyToken(claims, { account, secret, isHeld });
		if (error !== undefined) return { kind: 'invalid', error };
		return { kind: 'valid', user: userOfLegacyToken(claims), audiences: accepted };
	}

	#recall(digest: string): TokenClaims | LegacyClaims | undefined {
		const claims = this.#verified.get(digest);
		if (claims && this.#verified.delete(digest)) this.#verified.set(digest, claims);
		return claims;
	}

	/** The claims of a token with a valid signature, or why it has none. */
	async #verify(token: string, digest: string): Promise<TokenClaims | LegacyClaims | TokenVerdict> {
		const parsed = parseToken(token);
		const issuer = parsed?.payload.iss;
		if (!parsed || (issuer !== TOKEN_ISSUER && issuer !== LEGACY_ISSUER)) return { kind: 'unknown' };
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
function verifiedClaims(parsed: ParsedToken, key: SigningKeyPair): TokenClaims | LegacyClaims | string {
	if (parsed.keyId !== undefined && parsed.keyId !== key.id) return 'invalid signature, no keys found';
	if (!isSignedBy(parsed, key)) return 'go-jose/go-jose: error in cryptographic primitive';
	return (
		(parsed.payload.iss === LEGACY_ISSUER ? legacyClaimsOf(parsed) : claimsOf(parsed)) ??
		'service account token claims could not be validated due to unexpected validation error'
	);
}

function wrongAudiences(own: readonly string[], wanted: readonly string[]): string {
	return `token audiences ${listed(own)} is invalid for the target audiences ${listed(wanted)}`;
}

/** Whether the value of a Secret, in base64, is the token. Takes the same time for all tokens of one length. */
function isSameToken(token: string, value: string | undefined): boolean {
	if (value === undefined) return false;
	const [own, held] = [Buffer.from(token), Buffer.from(value, 'base64')];
	return own.length === held.length && timingSafeEqual(own, held);
}

/** Go's `%q` of a list of strings. */
function listed(texts: readonly string[]): string {
	return `[${texts.map(quote).join(' ')}]`;
}
