import type { Pod } from '../../api/core/pod/schema.ts';
import { hostPortsOf } from './cluster/host-ports.ts';
import { podRequests } from './cluster/requests.ts';

/** The predicates whose result depends on the Pod's own labels. */
const BY_LABELS: readonly string[] = ['InterPodAffinity', 'PodTopologySpread'];

/**
 * A text that is equal for Pods that placement cannot distinguish: while one of them is unschedulable, so are
 * the others, and the queue need not try them. A nominated Pod has a shape of its own, because the room is
 * reserved for it alone.
 */
export function shapeOf(
	pod: Pod,
	{ refusedBy, isNominated }: { readonly refusedBy: ReadonlySet<string>; readonly isNominated: boolean },
): string {
	const { metadata, spec, status } = pod;
	const alone = isNominated || status.nominatedNodeName ? metadata.uid : undefined;
	const labels = BY_LABELS.some((name) => refusedBy.has(name)) ? metadata.labels : undefined;
	return JSON.stringify([
		...[alone, metadata.namespace, labels, spec.priority, spec.preemptionPolicy],
		...[spec.nodeName, spec.nodeSelector, spec.affinity, spec.tolerations, spec.topologySpreadConstraints],
		...[[...podRequests(pod).amounts], hostPortsOf(pod), claimsOf(pod), spec.resourceClaims],
	]);
}

function claimsOf({ metadata, spec }: Pod): unknown {
	return spec.volumes?.map(({ persistentVolumeClaim, ephemeral }) => [
		persistentVolumeClaim?.claimName,
		// The claim of an ephemeral volume is that of this Pod alone.
		ephemeral && metadata.uid,
	]);
}
