/**
 * Selects the surplus ended Pods. Pods that have ended are kept until their owner or a user deletes them; above
 * a limit, the Pod garbage collector deletes them (upstream: gcTerminated in
 * pkg/controller/podgc/gc_controller.go).
 */

import type { Pod } from '../../api/core/pod/schema.ts';
import { compareText } from '../../base/compare-text.ts';

/** Default number of ended Pods to keep: upstream's --terminated-pod-gc-threshold. */
export const DEFAULT_ENDED_PODS_LIMIT = 12_500;

/** The properties of an ended Pod that identify it and decide the order of deletion. */
export interface EndedPod {
	readonly namespace: string;
	readonly name: string;
	readonly uid: string;
	readonly creationTimestamp: string;
	/** Whether the kubelet evicted it under node pressure. (A Pod evicted through the API is deleted.) */
	readonly isEvicted: boolean;
}

/** The {@link EndedPod} of a Pod that has ended. */
export function endedPodOf({ metadata, status }: Pod): EndedPod {
	const { namespace = '', name = '', uid = '', creationTimestamp = '' } = metadata;
	const isEvicted = status.phase === 'Failed' && status.reason === 'Evicted';
	return { namespace, name, uid, creationTimestamp, isEvicted };
}

/** The ended Pods to delete so that `limit` remain: evicted ones first, then the oldest, then by name. */
export function endedPodsBeyond(limit: number, ended: Iterable<EndedPod>): readonly EndedPod[] {
	const all = [...ended];
	if (all.length <= limit) return [];
	return all.sort(inOrderOfDeletion).slice(0, all.length - limit);
}

function inOrderOfDeletion(one: EndedPod, other: EndedPod): number {
	return (
		Number(other.isEvicted) - Number(one.isEvicted) ||
		compareText(one.creationTimestamp, other.creationTimestamp) ||
		compareText(one.name, other.name)
	);
}
