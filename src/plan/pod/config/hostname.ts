import type { Pod } from '../../../api/core/pod/schema.ts';

/** Maximum length of a host name: Linux has 64 bytes for it, one of which is the terminating zero. */
const LONGEST = 63;

/**
 * The host name of a Pod's containers (upstream: `GeneratePodHostNameAndDomain` in kubelet_pods.go):
 * `hostnameOverride`, else `hostname`, else the name of the Pod, cut to 63 characters and without trailing `-`
 * or `.`.
 */
export function hostnameOf({ metadata, spec }: Pick<Pod, 'metadata' | 'spec'>): string {
	if (spec.hostnameOverride) return spec.hostnameOverride;
	return (spec.hostname || metadata.name || '').slice(0, LONGEST).replace(/[-.]+$/, '');
}

/** The domain of the names of Services. */
export const CLUSTER_DOMAIN = 'cluster.local';

/** The domain of the Pod, if it is in the subdomain of a Service (upstream: `GeneratePodHostNameAndDomain`). */
export function podDomainOf({ metadata, spec }: Pick<Pod, 'metadata' | 'spec'>): string | undefined {
	if (!spec.subdomain || spec.hostnameOverride) return undefined;
	return `${spec.subdomain}.${metadata.namespace ?? ''}.svc.${CLUSTER_DOMAIN}`;
}

/** Maximum length of a name with its domain: that of Linux. */
const LONGEST_FQDN = 64;

/**
 * The host name of a Pod's sandbox: with `setHostnameAsFQDN` the one with the domain. Empty if the Pod has the network of
 * its node, and so the node's name. Throws with upstream's message if the name is too long (upstream:
 * `generatePodSandboxConfig`, and `GetNodenameForKernel` in pkg/kubelet/util).
 */
export function sandboxHostnameOf(pod: Pick<Pod, 'metadata' | 'spec'>): string {
	const { hostNetwork, setHostnameAsFQDN } = pod.spec;
	if (hostNetwork) return '';
	const name = hostnameOf(pod);
	const domain = podDomainOf(pod);
	if (!setHostnameAsFQDN || domain === undefined) return name;
	const fqdn = `${name}.${domain}`;
	if (fqdn.length <= LONGEST_FQDN) return fqdn;
	throw new Error(
		`failed to construct FQDN from pod hostname and cluster domain, FQDN ${fqdn} is too long (${LONGEST_FQDN} characters is the max, ${fqdn.length} characters requested)`,
	);
}
