/**
 * The identity of a caller, as authentication finds it and authorization, admission and audit use it
 * (authentication.k8s.io/v1 UserInfo). In the server every request has one.
 */
export interface User {
	/** Unique among all users at one time: `kubernetes-admin`, `system:node:<name>`. Upstream: username. */
	readonly name: string;
	/** Tells users of the same name at different times apart; undefined if the authenticator knows none. */
	readonly uid?: string;
	readonly groups: readonly string[];
	/** Further properties that an authenticator found; each has one or more values. */
	readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** Every user that proved its identity is in this group. */
const AUTHENTICATED = 'system:authenticated';

/** All ServiceAccounts are in this group. */
export const SERVICE_ACCOUNTS = 'system:serviceaccounts';

/** The names of ServiceAccounts as users begin with this. */
export const SERVICE_ACCOUNT_PREFIX = 'system:serviceaccount:';

/** The group that may do everything (upstream: SystemPrivilegedGroup). */
const MASTERS = 'system:masters';

/** The user of the server's kubeconfig. */
export const ADMIN: User = { name: 'kubernetes-admin', groups: [MASTERS, AUTHENTICATED] };

/** The user of requests without credentials. Only public paths accept them. */
export const ANONYMOUS: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

/** The API server itself. It is also the user of a caller in its process that names none. */
export const API_SERVER: User = { name: 'system:apiserver', groups: [MASTERS, AUTHENTICATED] };

/** The user of all controllers. */
export const CONTROLLER_MANAGER: User = { name: 'system:kube-controller-manager', groups: [AUTHENTICATED] };

/** The user of the scheduler. */
export const SCHEDULER: User = { name: 'system:kube-scheduler', groups: [AUTHENTICATED] };

/** The user of the component that forwards connections to Services. */
export const KUBE_PROXY: User = { name: 'system:kube-proxy', groups: [AUTHENTICATED] };

/** The user of the node agent of a Node (upstream: the node authorizer's name and group). */
export function nodeUser(nodeName: string): User {
	return { name: `system:node:${nodeName}`, groups: ['system:nodes', AUTHENTICATED] };
}

/** A ServiceAccount, as a token names it. */
export interface AccountIdentity {
	readonly namespace: string;
	readonly name: string;
	readonly uid: string;
	/** See {@link User.extra}. */
	readonly extra: NonNullable<User['extra']>;
}

/** The user of a token of a ServiceAccount (upstream: `ServiceAccountInfo.UserInfo` in k8s.io/apiserver). */
export function serviceAccountUser({ namespace, name, uid, extra }: AccountIdentity): User {
	return {
		name: `${SERVICE_ACCOUNT_PREFIX}${namespace}:${name}`,
		uid,
		groups: [SERVICE_ACCOUNTS, `${SERVICE_ACCOUNTS}:${namespace}`, AUTHENTICATED],
		...(Object.keys(extra).length > 0 && { extra }),
	};
}
