import { qosClassOf } from '../../../api/core/pod/quality-of-service.ts';
import type { Container, Pod } from '../../../api/core/pod/schema.ts';
import { quantityValue } from '../../../api/meta/quantity.ts';
import { isSidecar } from '../snapshot.ts';

/** Upstream's `guaranteedOOMScoreAdj` and `besteffortOOMScoreAdj`. */
const GUARANTEED = -997;
const BEST_EFFORT = 1000;

/** The priority of system-node-critical. */
const NODE_CRITICAL_PRIORITY = 2_000_001_000;

/**
 * How much sooner than other processes the kernel ends those of the container when the machine has no memory left
 * (upstream: `GetContainerOOMScoreAdjust` in pkg/kubelet/qos/policy.go): the more of the machine's memory a Burstable
 * container requests, the later. `memory` is the quantity that the node has for Pods.
 */
export function oomScoreAdjOf(pod: Pod, container: Container, memory: string): number {
	if ((pod.spec.priority ?? 0) >= NODE_CRITICAL_PRIORITY) return GUARANTEED;
	// From the status, as upstream's `GetPodQOS`: to compute it takes as long as the Pod has containers, for each of them.
	const qos = pod.status.qosClass ?? qosClassOf(pod);
	if (qos === 'Guaranteed') return GUARANTEED;
	if (qos === 'BestEffort') return BEST_EFFORT;
	const memoryBytes = quantityValue(memory);
	if (memoryBytes <= 0) return BEST_EFFORT;
	const shared = sharedRequest(pod);
	const own = requestOf(container);
	// A sidecar must not end before the containers that it serves.
	const least = Math.min(...pod.spec.containers.map(requestOf));
	const request = (isSidecar(container) ? Math.max(own, least) : own) + shared;
	const score = 1000 - Math.floor((1000 * request) / memoryBytes);
	return Math.min(Math.max(score, 1000 + GUARANTEED), BEST_EFFORT - 1);
}

/** What the Pod as a whole requests beyond its containers, in equal parts (upstream: `remainingPodMemReqPerContainer`). */
function sharedRequest({ spec }: Pod): number {
	const whole = spec.resources?.requests?.memory;
	if (whole === undefined) return 0;
	const parts = [...spec.containers, ...(spec.initContainers ?? []).filter(isSidecar)];
	const rest = quantityValue(whole) - parts.reduce((sum, each) => sum + requestOf(each), 0);
	return Math.max(0, Math.floor(rest / parts.length));
}

function requestOf({ resources }: Container): number {
	return quantityValue(resources?.requests?.memory ?? '0');
}
