import { ANONYMOUS, SERVICE_ACCOUNT_PREFIX, SERVICE_ACCOUNTS, type User } from '../../api/contract/user.ts';
import { isPublic } from '../documents/health.ts';
import type {
	AccessRules,
	AuthorizationAttributes,
	Authorizer,
	NonResourceRule,
	ResourceRule,
} from './authorizer.ts';

/**
 * The authorizer until the server has RBAC: it allows every request, except for ServiceAccounts and users without
 * credentials. They may only do what upstream's default roles allow to each of them: ServiceAccounts read about the API,
 * and ask who they are and what they may do; the others see whether the server is well.
 */
export const BOOTSTRAP_AUTHORIZER: Authorizer = {
	authorize: (attributes) => (isAllowed(attributes) ? { allowed: true } : { allowed: false, reason: '' }),
	rulesFor: (user) => RULES[classOf(user)],
};

type UserClass = 'account' | 'anonymous' | 'trusted';

/** A review may name a user without its groups, so that the name counts too. */
function classOf({ name, groups }: User): UserClass {
	if (groups.includes(SERVICE_ACCOUNTS) || name.startsWith(SERVICE_ACCOUNT_PREFIX)) return 'account';
	const isAnonymous = name === ANONYMOUS.name || groups.some((group) => ANONYMOUS.groups.includes(group));
	return isAnonymous ? 'anonymous' : 'trusted';
}

/** Paths that the roles below allow to GET. A `*` at the end stands for any text. */
const READABLE_PATHS: NonResourceRule = {
	verbs: ['get'],
	nonResourceURLs: [
		// system:discovery and system:public-info-viewer
		...['/healthz', '/livez', '/readyz', '/version', '/version/'],
		...['/api', '/api/*', '/apis', '/apis/*', '/openapi', '/openapi/*'],
		// system:service-account-issuer-discovery
		...['/.well-known/openid-configuration', '/.well-known/openid-configuration/'],
		...['/openid/v1/jwks', '/openid/v1/jwks/'],
	],
};

/** system:public-info-viewer, which users without credentials have too. */
const PUBLIC_PATHS: NonResourceRule = {
	verbs: ['get'],
	nonResourceURLs: READABLE_PATHS.nonResourceURLs.filter(isPublic),
};

/** system:basic-user: every user that proved its identity may create these. */
const OWN_REVIEWS: readonly ResourceRule[] = [
	{
		verbs: ['create'],
		apiGroups: ['authorization.k8s.io'],
		resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
	},
	{ verbs: ['create'], apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'] },
];

const ALL = ['*'];

const RULES: Readonly<Record<UserClass, AccessRules>> = {
	account: { resourceRules: OWN_REVIEWS, nonResourceRules: [READABLE_PATHS] },
	anonymous: { resourceRules: [], nonResourceRules: [PUBLIC_PATHS] },
	trusted: {
		resourceRules: [{ verbs: ALL, apiGroups: ALL, resources: ALL }],
		nonResourceRules: [{ verbs: ALL, nonResourceURLs: ALL }],
	},
};

function isAllowed(attributes: AuthorizationAttributes): boolean {
	const { resourceRules, nonResourceRules } = RULES[classOf(attributes.user)];
	const { verb } = attributes;
	if (attributes.type === 'path')
		return nonResourceRules.some(
			({ verbs, nonResourceURLs }) =>
				covers(verbs, verb) && nonResourceURLs.some((pattern) => matches(pattern, attributes.path)),
		);
	const { group, resource, subresource } = attributes;
	const named = subresource === '' ? resource : `${resource}/${subresource}`;
	return resourceRules.some(
		({ verbs, apiGroups, resources }) =>
			covers(verbs, verb) && covers(apiGroups, group) && covers(resources, named),
	);
}

function covers(allowed: readonly string[], value: string): boolean {
	return allowed.includes('*') || allowed.includes(value);
}

function matches(pattern: string, path: string): boolean {
	return pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
}
