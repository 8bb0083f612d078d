import { hasEnded } from '../../api/core/pod/phase.ts';
import type { Pod, PodCondition } from '../../api/core/pod/schema.ts';
import { timeOf } from '../../api/meta/time.ts';

/** Whether the Pod runs or will run: it has not ended and is not being deleted (upstream: IsPodActive). */
export function isActivePod(pod: Pod): boolean {
	return !hasEnded(pod) && pod.metadata.deletionTimestamp === undefined;
}

/** Whether the Pod is being deleted and has not ended yet (upstream: IsPodTerminating). */
export function isTerminatingPod(pod: Pod): boolean {
	return !hasEnded(pod) && pod.metadata.deletionTimestamp !== undefined;
}

/** The condition Ready of the Pod, if it is True. */
export function readyConditionOf({ status }: Pod): PodCondition | undefined {
	return status.conditions?.find((each) => each.type === 'Ready' && each.status === 'True');
}

/**
 * When the Pod has been ready for `minReadySeconds`, in ms since the epoch; undefined if it is not ready, or if its
 * condition has no time while there is a minimum (upstream: IsPodAvailable).
 */
export function availableAt(pod: Pod, minReadySeconds: number): number | undefined {
	const ready = readyConditionOf(pod);
	if (!ready) return undefined;
	if (minReadySeconds === 0) return 0;
	const since = timeOf(ready.lastTransitionTime);
	return since === undefined ? undefined : since + minReadySeconds * 1000;
}
