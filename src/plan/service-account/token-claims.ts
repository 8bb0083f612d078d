import type { Pod } from '../../api/core/pod/schema.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';

/**
 * The claims of a ServiceAccount's token (upstream: `Claims` in pkg/serviceaccount/claims.go). Numbers are
 * seconds since 1970.
 */
export interface TokenClaims {
	readonly aud: readonly string[];
	readonly exp: number;
	readonly iat: number;
	readonly iss: string;
	/** Identifier of the token. */
	readonly jti: string;
	readonly 'kubernetes.io': AccountClaims;
	readonly nbf: number;
	/** The name of the user. */
	readonly sub: string;
}

/** The claims of Kubernetes: the account, and the object that the token is bound to. */
export interface AccountClaims {
	readonly namespace: string;
	/** The Node that the token is bound to, or the one that its Pod runs on. */
	readonly node?: ObjectClaim;
	readonly pod?: ObjectClaim;
	readonly secret?: ObjectClaim;
	readonly serviceaccount: ObjectClaim;
	/** Time after which the client should have replaced the token, if that is before `exp`. */
	readonly warnafter?: number;
}

/** An object by name and UID. */
export interface ObjectClaim {
	readonly name: string;
	/** Absent only for the Node of a Pod, if that Node does not exist. */
	readonly uid?: string;
}

/** The issuer of all tokens. It is also the name of the API server as an audience. */
export const TOKEN_ISSUER = 'https://kubernetes.default.svc.cluster.local';

/**
 * The lifetime that admission requests for the tokens of Pods: this exact value marks them (upstream:
 * `WarnOnlyBoundTokenExpirationSeconds`).
 */
export const POD_TOKEN_SECONDS = 3607;

/** The lifetime that such a token gets instead (upstream: `ExpirationExtensionSeconds`): a year. */
const EXTENDED_SECONDS = 365 * 24 * 3600;

/** What {@link planClaims} decides from. */
export interface TokenOrder {
	readonly account: KubeObject;
	readonly audiences: readonly string[];
	readonly expirationSeconds: number;
	readonly bound: BoundObjects;
	/** A new identifier. */
	readonly id: string;
	/** Milliseconds since 1970. */
	readonly now: number;
}

/** The object that a token is bound to: at most one of them, or a Pod and its Node. */
export interface BoundObjects {
	readonly pod?: Pod;
	readonly secret?: KubeObject;
	/** A claim instead of the Node if that does not exist. */
	readonly node?: KubeObject | ObjectClaim;
}

/**
 * The claims of a new token. A Pod's token for the API server that was requested with
 * {@link POD_TOKEN_SECONDS} is valid for a year: programs that read the file only once keep working. Its claim
 * `warnafter` is the time at which they should have read it again.
 */
export function planClaims({
	account,
	audiences,
	expirationSeconds,
	bound,
	id,
	now,
}: TokenOrder): TokenClaims {
	const seconds = Math.floor(now / 1000);
	const isExtended =
		bound.pod !== undefined &&
		expirationSeconds === POD_TOKEN_SECONDS &&
		audiences.every((audience) => audience === TOKEN_ISSUER);
	const { namespace = '' } = account.metadata;
	const { pod, secret, node } = bound;
	return {
		aud: audiences,
		exp: seconds + (isExtended ? EXTENDED_SECONDS : expirationSeconds),
		iat: seconds,
		iss: TOKEN_ISSUER,
		jti: id,
		'kubernetes.io': {
			namespace,
			...(node && { node: 'metadata' in node ? claimOf(node) : node }),
			...(pod && { pod: claimOf(pod) }),
			...(secret && { secret: claimOf(secret) }),
			serviceaccount: claimOf(account),
			...(isExtended && { warnafter: seconds + expirationSeconds }),
		},
		nbf: seconds,
		sub: `system:serviceaccount:${namespace}:${account.metadata.name}`,
	};
}

function claimOf({ metadata: { name = '', uid = '' } }: KubeObject): ObjectClaim {
	return { name, uid };
}
