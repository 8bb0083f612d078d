import type { Pod } from '../../api/core/pod/schema.ts';

/** A host name has 64 bytes in the kernel, the last of which ends it. */
const LONGEST = 63;

/**
 * The host name of a Pod's containers (upstream: `GeneratePodHostNameAndDomain` in kubelet_pods.go): what the Pod
 * says, else its name, cut to 63 characters and never ending in `-` or `.`.
 */
export function hostnameOf({ metadata, spec }: Pick<Pod, 'metadata' | 'spec'>): string {
	if (spec.hostnameOverride) return spec.hostnameOverride;
	return (spec.hostname || metadata.name || '').slice(0, LONGEST).replace(/[-.]+$/, '');
}
