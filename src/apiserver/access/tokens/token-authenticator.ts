import { createHash, timingSafeEqual } from 'node:crypto';
import type { User } from '../../../api/contract/user.ts';
import type { LegacyClaims } from '../../../plan/service-account/legacy-token.ts';
import { API_AUDIENCES, type ServiceAccountTokens, type TokenVerdict } from './service-account-tokens.ts';

/** What is known about a token in the end, as TokenReviews report it. */
export type TokenFinding = Exclude<TokenVerdict, { readonly kind: 'unknown' }>;

/**
 * Finds the user of a bearer token: of the fixed tokens of the server, which its kubeconfig holds, and of the
 * tokens of ServiceAccounts.
 */
export class TokenAuthenticator {
	readonly #accounts: ServiceAccountTokens;
	readonly #fixed: { readonly digest: Buffer; readonly user: User }[] = [];

	constructor(accounts: ServiceAccountTokens) {
		this.#accounts = accounts;
	}

	/** Accepts `token` as one of `user` from now on. */
	accept(token: string, user: User): void {
		this.#fixed.push({ digest: digestOf(token), user });
	}

	/** Resolves to a token for a Secret, which {@link userOf} accepts as long as the Secret holds it. */
	signLegacy(claims: LegacyClaims): Promise<string> {
		return this.#accounts.issue(claims);
	}

	/**
	 * The user of a token that is valid for this API server; undefined if it is of none. It returns no promise for
	 * a fixed token, so that the requests of the administrator take no turn of the microtask queue.
	 */
	userOf(token: string): User | Promise<User | undefined> {
		return (
			this.#fixedUser(token) ??
			this.#accounts
				.check(token, API_AUDIENCES)
				.then((verdict) => (verdict.kind === 'valid' ? verdict.user : undefined))
		);
	}

	/**
	 * Resolves to what is known about a token, which must be valid for one of `audiences`. A fixed token is only
	 * valid for the API server.
	 */
	async review(token: string, audiences: readonly string[]): Promise<TokenFinding> {
		const user = this.#fixedUser(token);
		const accepted = audiences.filter((audience) => API_AUDIENCES.includes(audience));
		if (user && accepted.length > 0) return { kind: 'valid', user, audiences: accepted };
		const verdict = await this.#accounts.check(token, audiences);
		if (verdict.kind === 'valid') return verdict;
		// Upstream asks two authenticators, and lists their errors: the first one knows the fixed tokens only.
		const error = verdict.kind === 'unknown' ? UNKNOWN : `[${UNKNOWN}, ${verdict.error}]`;
		return { kind: 'invalid', error };
	}

	#fixedUser(token: string): User | undefined {
		const digest = digestOf(token);
		// timingSafeEqual needs inputs of equal length, and digests have one. Comparing the texts would take
		// longer the more leading characters of the token a client guessed.
		return this.#fixed.find((each) => timingSafeEqual(digest, each.digest))?.user;
	}
}

const UNKNOWN = 'invalid bearer token';

function digestOf(text: string): Buffer {
	return createHash('sha256').update(text).digest();
}
