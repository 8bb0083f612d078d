/**
 * What the assignment of a Pod to a node requires of the Pod and makes of it (upstream: `assignPod` and
 * `setPodNodeAndMetadata` of BindingREST in pkg/registry/core/pod/storage/storage.go).
 */

import type { Binding } from '../../api/core/binding/schema.ts';
import type { Pod, PodCondition } from '../../api/core/pod/schema.ts';
import { withCondition } from '../../api/meta/conditions.ts';

/**
 * Why the Pod cannot be assigned; undefined if it can. A Pod never changes its node, since two node agents would
 * then run its containers.
 */
export function unbindable({ metadata, spec }: Pick<Pod, 'metadata' | 'spec'>): string | undefined {
	if (metadata.deletionTimestamp)
		return `pod ${metadata.name} is being deleted, cannot be assigned to a host`;
	if (spec.nodeName) return `pod ${metadata.name} is already assigned to node "${spec.nodeName}"`;
	if (spec.schedulingGates?.length) return `pod ${metadata.name} has non-empty .spec.schedulingGates`;
	return undefined;
}

/** The Pod after the binding: with the node's name, the annotations of the binding and PodScheduled=True. */
export function boundPod(pod: Pod, { metadata, target }: Binding, now: string): Pod {
	const annotations = { ...pod.metadata.annotations, ...metadata.annotations };
	// The scheduler set nominatedNodeName when it preempted other Pods for this one. Once the Pod is assigned
	// it means nothing, and the scheduler would still count it as reserved resources on that node.
	const { nominatedNodeName: _, ...status } = pod.status;
	return {
		...pod,
		metadata: { ...pod.metadata, ...(Object.keys(annotations).length > 0 && { annotations }) },
		spec: { ...pod.spec, nodeName: target.name ?? '' },
		status: { ...status, conditions: scheduled(pod, now) },
	};
}

/** The conditions with PodScheduled set to True. The time of an earlier transition is kept. */
function scheduled({ metadata, status }: Pod, now: string): readonly PodCondition[] {
	const condition: PodCondition = {
		type: 'PodScheduled',
		...(metadata.generation && { observedGeneration: metadata.generation }),
		status: 'True',
		lastProbeTime: null,
		lastTransitionTime: now,
	};
	return withCondition(status.conditions, condition);
}
