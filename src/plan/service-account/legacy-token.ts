import { serviceAccountUser, type User } from '../../api/contract/user.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';

/** The claims of a token in a Secret, which has no end: it is valid as long as the Secret holds it. */
export interface LegacyClaims {
	readonly iss: string;
	readonly 'kubernetes.io/serviceaccount/namespace': string;
	readonly 'kubernetes.io/serviceaccount/secret.name': string;
	readonly 'kubernetes.io/serviceaccount/service-account.name': string;
	readonly 'kubernetes.io/serviceaccount/service-account.uid': string;
	/** The name of the user. */
	readonly sub: string;
}

/** The issuer of tokens in Secrets. */
export const LEGACY_ISSUER = 'kubernetes/serviceaccount';

/** The names that the claims hold. */
export interface LegacyNames {
	readonly namespace: string;
	readonly secret: string;
	readonly account: string;
	readonly accountUid: string;
}

/** The names in the claims. */
export function legacyNamesOf(claims: LegacyClaims): LegacyNames {
	return {
		namespace: claims['kubernetes.io/serviceaccount/namespace'],
		secret: claims['kubernetes.io/serviceaccount/secret.name'],
		account: claims['kubernetes.io/serviceaccount/service-account.name'],
		accountUid: claims['kubernetes.io/serviceaccount/service-account.uid'],
	};
}

/** The current objects with the names in the claims; undefined if there is none. */
export interface LegacyObjects {
	readonly account: KubeObject | undefined;
	readonly secret: KubeObject | undefined;
	/** Whether the Secret holds this very token. */
	readonly isHeld: boolean;
}

const INVALID_SINCE = 'kubernetes.io/legacy-token-invalid-since';

/**
 * Why a token with a valid signature is not valid; undefined if it is. Upstream: `legacyValidator.Validate` in
 * pkg/serviceaccount/legacy.go, with its messages, which TokenReviews return.
 */
export function problemOfLegacyToken(
	claims: LegacyClaims,
	{ account, secret, isHeld }: LegacyObjects,
): string | undefined {
	const names = legacyNamesOf(claims);
	const { namespace, account: name, accountUid } = names;
	if (claims.sub !== `system:serviceaccount:${namespace}:${name}`) return 'sub claim is invalid';
	if (!secret || secret.metadata.deletionTimestamp) return 'Token has been invalidated';
	if (!isHeld) return "Token does not match server's copy";
	if (!account) return `serviceaccounts "${name}" not found`;
	if (account.metadata.deletionTimestamp) return `ServiceAccount ${namespace}/${name} has been deleted`;
	const { uid } = account.metadata;
	if (uid !== accountUid) return `ServiceAccount UID (${uid}) does not match claim (${accountUid})`;
	if (!secret.metadata.labels?.[INVALID_SINCE]) return undefined;
	return `the token in secret ${namespace}/${names.secret} for service account ${namespace}/${name} has been marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the '${INVALID_SINCE}' label from the secret to temporarily allow use of this token`;
}

/** The user of a valid token. */
export function userOfLegacyToken(claims: LegacyClaims): User {
	const { namespace, account, accountUid } = legacyNamesOf(claims);
	return serviceAccountUser({ namespace, name: account, uid: accountUid, extra: {} });
}
