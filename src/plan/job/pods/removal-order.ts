import type { ContainerStatus, Pod, PodCondition } from '../../../api/core/pod/schema.ts';
import { timeOf } from '../../../api/meta/time.ts';

/**
 * Compares two active Pods for removal: negative if `a` is removed first. The Pod that has progressed less is
 * removed, so that as little work as possible is lost. The order is that of upstream's ActivePods
 * (pkg/controller/controller_utils.go), which all its controllers use.
 */
export function compareForRemoval(a: Pod, b: Pod): number {
	for (const criterion of CRITERIA) {
		const difference = criterion(a) - criterion(b);
		if (difference !== 0 && !Number.isNaN(difference)) return difference;
	}
	return 0;
}

/**
 * Measures of progress; the Pod with the smaller value is removed first. A criterion decides only if all before
 * it tie.
 */
const CRITERIA: readonly ((pod: Pod) => number)[] = [
	(pod) => (pod.spec.nodeName ? 1 : 0),
	(pod) => ['Pending', 'Unknown', 'Running'].indexOf(pod.status.phase ?? ''),
	(pod) => (readyCondition(pod) ? 1 : 0),
	// A Pod that became ready later has progressed less; one without the time is removed first.
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
