import { SERVICE_ACCOUNTS } from '../../api/contract/user.ts';
import type { AuthorizationAttributes, Authorizer } from './authorizer.ts';

/**
 * The authorizer until the server has RBAC: it allows every request, except for ServiceAccounts. They may only
 * do what upstream's default roles allow to each of them: read about the API, and ask who they are.
 */
export const BOOTSTRAP_AUTHORIZER: Authorizer = {
	authorize: (attributes) => {
		const isAllowed = !attributes.user.groups.includes(SERVICE_ACCOUNTS) || isForAll(attributes);
		return isAllowed ? { allowed: true } : { allowed: false, reason: '' };
	},
};

/** Paths that the roles below allow to GET. A `*` at the end stands for any text. */
const READABLE_PATHS: readonly string[] = [
	// system:discovery and system:public-info-viewer
	...['/healthz', '/livez', '/readyz', '/version', '/version/'],
	...['/api', '/api/*', '/apis', '/apis/*', '/openapi', '/openapi/*'],
	// system:service-account-issuer-discovery
	...['/.well-known/openid-configuration', '/.well-known/openid-configuration/'],
	...['/openid/v1/jwks', '/openid/v1/jwks/'],
];

/** The resources of system:basic-user, as `<resource>.<group>`: every user may create them. */
const OWN_REVIEWS: readonly string[] = [
	'selfsubjectreviews.authentication.k8s.io',
	'selfsubjectaccessreviews.authorization.k8s.io',
	'selfsubjectrulesreviews.authorization.k8s.io',
];

function isForAll(attributes: AuthorizationAttributes): boolean {
	if (attributes.type === 'path') {
		const { verb, path } = attributes;
		return verb === 'get' && READABLE_PATHS.some((pattern) => matches(pattern, path));
	}
	const { verb, group, resource, subresource } = attributes;
	return verb === 'create' && subresource === '' && OWN_REVIEWS.includes(`${resource}.${group}`);
}

function matches(pattern: string, path: string): boolean {
	return pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
}
