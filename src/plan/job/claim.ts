import type { Pod } from '../../api/core/pod/schema.ts';
import { matches, selectorOf } from '../../api/meta/selector.ts';
import { isTracked } from './classify.ts';
import { TRACKING_FINALIZER } from './identifiers.ts';
import type { PodAct } from './plan.ts';
import type { JobSnapshot } from './snapshot.ts';

/** Which Pods are the Job's: those it keeps and adopts, and those it lets go. */
export interface Claim {
	/** The Job's Pods; an adopted one is shown as it will be, with the tracking finalizer. */
	readonly pods: readonly Pod[];
	readonly adopt: readonly PodAct[];
	readonly release: readonly PodAct[];
}

/**
 * Sorts the Pods by the Job's selector. A Job that is being deleted neither adopts nor releases. What is its
 * own stays so then, whatever its labels: nobody else would take off the finalizer that the deletion in
 * the foreground waits for. (Upstream looks away from such Pods, and the deletion never ends.)
 */
export function claimPods({ job, pods, orphans }: JobSnapshot): Claim {
	const selector = selectorOf(job.spec.selector);
	const deleting = job.metadata.deletionTimestamp !== undefined;
	const kept: Pod[] = [];
	const release: PodAct[] = [];
	for (const pod of pods) {
		if (deleting || matches(selector, pod.metadata.labels)) kept.push(pod);
		else release.push({ pod, because: "the Job's selector does not match it" });
	}
	const adopt: PodAct[] = [];
	for (const pod of deleting ? [] : orphans) {
		if (pod.metadata.deletionTimestamp || !matches(selector, pod.metadata.labels)) continue;
		adopt.push({ pod, because: "it has no controller and the Job's selector matches it" });
		kept.push(withTracking(pod));
	}
	return { pods: kept, adopt, release };
}

function withTracking(pod: Pod): Pod {
	if (isTracked(pod)) return pod;
	const finalizers = [...(pod.metadata.finalizers ?? []), TRACKING_FINALIZER];
	return { ...pod, metadata: { ...pod.metadata, finalizers } };
}
