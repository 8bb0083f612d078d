import type { Secret } from '../../api/core/secret/schema.ts';
import type { ServiceAccount } from '../../api/core/serviceaccount/schema.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { base64OfText } from '../../base/base64.ts';
import { LEGACY_ISSUER, type LegacyClaims } from './legacy-token.ts';

/**
 * Secrets of type `kubernetes.io/service-account-token`: a user creates one for a ServiceAccount, and a controller adds
 * a token without an end (upstream: pkg/controller/serviceaccount/tokens_controller.go).
 */

const TOKEN_TYPE = 'kubernetes.io/service-account-token';

/** The annotations that name the account. Only the first one is required. */
const ACCOUNT_NAME = 'kubernetes.io/service-account.name';
const ACCOUNT_UID = 'kubernetes.io/service-account.uid';

/** What the controller does about a Secret. */
export type TokenSecretPlan =
	| { readonly kind: 'keep'; readonly because: string }
	/** The account does not exist, or is another one of its name. */
	| { readonly kind: 'delete'; readonly because: string }
	/** Write `secret`; with `claims`, after adding a token with these claims by {@link withToken}. */
	| {
			readonly kind: 'fill';
			readonly secret: Secret;
			readonly claims?: LegacyClaims;
			readonly because: string;
	  };

/** The name of the account whose token the Secret is for; undefined if it is for none. */
export function tokenAccountOf({ type, metadata }: Pick<Secret, 'type' | 'metadata'>): string | undefined {
	return (type === TOKEN_TYPE && metadata.annotations?.[ACCOUNT_NAME]) || undefined;
}

/** Whether the account is the one that the Secret, which has its name, means. */
export function isAccountOf(
	{ metadata }: Pick<Secret, 'metadata'>,
	account: KubeObject | undefined,
): boolean {
	const uid = metadata.annotations?.[ACCOUNT_UID];
	return account !== undefined && (!uid || uid === account.metadata.uid);
}

/**
 * Decides about a Secret with a token. `account` is the current one of its name; `certificatePem` is that of the API
 * server's authority, if there is one. A token is made only once; the certificate is kept current.
 */
export function planTokenSecret(
	secret: Secret,
	account: ServiceAccount | undefined,
	certificatePem: string | undefined,
): TokenSecretPlan {
	if (!account || !isAccountOf(secret, account))
		return { kind: 'delete', because: 'its account does not exist' };
	const { data = {}, metadata } = secret;
	const { namespace = '' } = metadata;
	const certificate = certificatePem ? base64OfText(certificatePem) : undefined;
	const missing = {
		...(certificate !== undefined && certificate !== data['ca.crt'] && { 'ca.crt': certificate }),
		...(!data.namespace && { namespace: base64OfText(namespace) }),
	};
	const needsToken = !data.token;
	if (!needsToken && Object.keys(missing).length === 0) return { kind: 'keep', because: 'it is complete' };
	const { name = '', uid = '' } = account.metadata;
	const annotations = { ...metadata.annotations, [ACCOUNT_NAME]: name, [ACCOUNT_UID]: uid };
	return {
		kind: 'fill',
		secret: { ...secret, metadata: { ...metadata, annotations }, data: { ...data, ...missing } },
		...(needsToken && { claims: claimsFor(secret, account) }),
		because: needsToken ? 'it has no token' : `${Object.keys(missing).join(' and ')} must be written`,
	};
}

/** The Secret with the token. */
export function withToken(secret: Secret, token: string): Secret {
	return { ...secret, data: { ...secret.data, token: base64OfText(token) } };
}

/** Upstream: `LegacyClaims` in pkg/serviceaccount/legacy.go. */
function claimsFor(secret: Secret, { metadata }: ServiceAccount): LegacyClaims {
	const { namespace = '', name = '', uid = '' } = metadata;
	return {
		iss: LEGACY_ISSUER,
		'kubernetes.io/serviceaccount/namespace': namespace,
		'kubernetes.io/serviceaccount/secret.name': secret.metadata.name ?? '',
		'kubernetes.io/serviceaccount/service-account.name': name,
		'kubernetes.io/serviceaccount/service-account.uid': uid,
		sub: `system:serviceaccount:${namespace}:${name}`,
	};
}

/** The account without references to the Secret, which was deleted; undefined if it has none. */
export function withoutReference(account: ServiceAccount, secretName: string): ServiceAccount | undefined {
	const { secrets = [], ...rest } = account;
	const left = secrets.filter(({ name }) => name !== secretName);
	if (left.length === secrets.length) return undefined;
	return { ...rest, ...(left.length > 0 && { secrets: left }) };
}
