import type { User } from '../../api/contract/user.ts';

/** What an authorizer decides about (upstream: authorizer.Attributes). */
export type AuthorizationAttributes = ResourceAttributes | NonResourceAttributes;

/** A request for a resource. */
export interface ResourceAttributes {
	readonly type: 'resource';
	readonly user: User;
	/** In lower case: get, list, watch, create, update, patch, delete, deletecollection. */
	readonly verb: string;
	readonly group: string;
	readonly version: string;
	readonly resource: string;
	/** Empty for the object itself. */
	readonly subresource: string;
	/** Empty for cluster-scoped resources and for all namespaces. A Namespace is in the namespace of its name. */
	readonly namespace: string;
	/** Empty for a collection. */
	readonly name: string;
}

/** A request for another path, such as `/metrics`. */
export interface NonResourceAttributes {
	readonly type: 'path';
	readonly user: User;
	/** The HTTP method in lower case. */
	readonly verb: string;
	readonly path: string;
}

/** The decision about a request; `reason` is added to the message of the error. */
export type Decision = { readonly allowed: true } | { readonly allowed: false; readonly reason: string };

/**
 * Decides which requests are allowed. It is called once for each request, synchronously, so it reads nothing
 * but its arguments and memory. It must not throw.
 */
export interface Authorizer {
	authorize(attributes: AuthorizationAttributes): Decision;
	/** What it allows a user to do in a namespace, and outside of all. Absent: it cannot list that. */
	rulesFor?(user: User, namespace: string): AccessRules;
}

/** What an authorizer allows (upstream: authorizer.RuleResolver). The order has no meaning. */
export interface AccessRules {
	readonly resourceRules: readonly ResourceRule[];
	readonly nonResourceRules: readonly NonResourceRule[];
}

/** Actions on resources. `*` means all. */
export interface ResourceRule {
	readonly verbs: readonly string[];
	readonly apiGroups: readonly string[];
	readonly resources: readonly string[];
}

/** Requests for paths. `*` means all, and at the end of a path any text. */
export interface NonResourceRule {
	readonly verbs: readonly string[];
	readonly nonResourceURLs: readonly string[];
}
