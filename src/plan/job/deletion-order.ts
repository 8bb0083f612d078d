import type { ContainerStatus, Pod, PodCondition } from '../../api/core/pod/schema.ts';
import { timeOf } from '../../api/meta/time.ts';

/**
 * Compares two active Pods for removal: negative when `a` goes first. The one that has come less far
 * goes; upstream's order for all its controllers.
 */
export function compareForRemoval(a: Pod, b: Pod): number {
	for (const criterion of CRITERIA) {
		const difference = criterion(a) - criterion(b);
		if (difference !== 0 && !Number.isNaN(difference)) return difference;
	}
	return 0;
}

/** How far a Pod has come; the smaller one goes first. In order: a later one decides between equals. */
const CRITERIA: readonly ((pod: Pod) => number)[] = [
	(pod) => (pod.spec.nodeName ? 1 : 0),
	(pod) => ['Pending', 'Unknown', 'Running'].indexOf(pod.status.phase ?? ''),
	(pod) => (readyCondition(pod) ? 1 : 0),
	// Ready since later is less far; a Pod that does not say since when goes first.
	(pod) => -(timeOf(readyCondition(pod)?.lastTransitionTime) ?? LATEST),
	(pod) => -mostRestarts(pod.status.containerStatuses),
	(pod) => -mostRestarts(pod.status.initContainerStatuses),
	(pod) => -(timeOf(pod.metadata.creationTimestamp) ?? LATEST),
];

const LATEST = Number.MAX_SAFE_INTEGER;

function readyCondition(pod: Pod): PodCondition | undefined {
	return pod.status.conditions?.find(({ type, status }) => type === 'Ready' && status === 'True');
}

function mostRestarts(statuses: readonly ContainerStatus[] | undefined): number {
	return Math.max(0, ...(statuses ?? []).map((status) => status.restartCount));
}
