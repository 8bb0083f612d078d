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
