/**
 * The version of Kubernetes whose API and behaviour stint implements. No other place names it: see
 * docs/contributing/follow-kubernetes.md for what changes with it.
 */
export const KUBERNETES_VERSION = '1.37.0';

/**
 * The same with the version of stint as build metadata, which clients ignore when they compare versions: the `gitVersion` of
 * the server, and the `kubeletVersion` of a Node.
 */
export function gitVersionOf(version: string): string {
	return `v${KUBERNETES_VERSION}+stint.${version}`;
}
