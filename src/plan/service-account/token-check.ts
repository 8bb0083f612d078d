/**
 * Checks the claims of a token whose signature and issuer are valid. Upstream: `validator.Validate` in
 * pkg/serviceaccount/claims.go, with its messages, which TokenReviews return.
 */

import { serviceAccountUser, type User } from '../../api/contract/user.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { timeOf } from '../../api/meta/time.ts';
import type { AccountClaims, ObjectClaim, TokenClaims } from './token-claims.ts';

/** The current objects with the names in the claims; undefined if there is none. */
export interface ClaimedObjects {
	readonly account: KubeObject | undefined;
	readonly pod: KubeObject | undefined;
	readonly secret: KubeObject | undefined;
	readonly node: KubeObject | undefined;
}

/** Time by which clocks may differ (upstream: `jwt.DefaultLeeway`). Deletions count only after it too. */
const LEEWAY_MS = 60_000;

const INVALIDATED = 'service account token has been invalidated';

/** Why the token is not valid at `now` (milliseconds since 1970); undefined if it is. */
export function problemOfToken(claims: TokenClaims, seen: ClaimedObjects, now: number): string | undefined {
	return problemOfTimes(claims, now) ?? problemOfObjects(claims['kubernetes.io'], seen, now - LEEWAY_MS);
}

function problemOfTimes({ nbf, exp, iat }: TokenClaims, now: number): string | undefined {
	if (now + LEEWAY_MS < nbf * 1000) return 'service account token is not valid yet';
	if (now - LEEWAY_MS > exp * 1000) return 'service account token has expired';
	return now + LEEWAY_MS < iat * 1000 ? 'service account token is issued in the future' : undefined;
}

/** The account and the bound object must exist with the UIDs of the claims, and not be deleted before `since`. */
function problemOfObjects(claims: AccountClaims, seen: ClaimedObjects, since: number): string | undefined {
	const { namespace, serviceaccount, secret, pod, node } = claims;
	const { name, uid } = serviceaccount;
	if (!seen.account) return `serviceaccounts "${name}" not found`;
	const { uid: current } = seen.account.metadata;
	if (current !== uid) return `service account UID (${current}) does not match claim (${uid})`;
	if (isDeletedBefore(seen.account, since)) return `service account ${namespace}/${name} has been deleted`;
	return (
		problemOfBound('secret', { claim: secret, object: seen.secret, since }) ??
		problemOfBound('pod', { claim: pod, object: seen.pod, since }) ??
		// The Node of a Pod is information only: the Pod may outlive it.
		problemOfBound('node', { claim: pod ? undefined : node, object: seen.node, since })
	);
}

function problemOfBound(
	what: 'secret' | 'pod' | 'node',
	{
		claim,
		object,
		since,
	}: {
		readonly claim: ObjectClaim | undefined;
		readonly object: KubeObject | undefined;
		readonly since: number;
	},
): string | undefined {
	if (!claim) return undefined;
	if (!object) return INVALIDATED;
	const { uid } = object.metadata;
	if (uid !== claim.uid) {
		return `${what} UID (${uid}) does not match service account ${what} ref claim (${claim.uid})`;
	}
	return isDeletedBefore(object, since) ? INVALIDATED : undefined;
}

function isDeletedBefore({ metadata: { deletionTimestamp } }: KubeObject, since: number): boolean {
	const deleted = timeOf(deletionTimestamp);
	return deleted !== undefined && deleted < since;
}

const PREFIX = 'authentication.kubernetes.io/';

/** The user of a valid token. Its extra properties name the token, and the Pod and Node that it belongs to. */
export function userOfClaims({ jti, 'kubernetes.io': claims }: TokenClaims): User {
	const { namespace, serviceaccount, pod, node } = claims;
	const extra = Object.entries({
		'credential-id': jti === '' ? undefined : `JTI=${jti}`,
		'node-name': node?.name,
		'node-uid': node?.uid,
		'pod-name': pod?.name,
		'pod-uid': pod?.uid,
	}).flatMap(([key, value]) => (value ? [[PREFIX + key, [value]] as const] : []));
	return serviceAccountUser({
		namespace,
		name: serviceaccount.name,
		uid: serviceaccount.uid ?? '',
		extra: Object.fromEntries(extra),
	});
}
