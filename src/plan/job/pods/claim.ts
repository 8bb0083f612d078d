import { TRACKING_FINALIZER } from '../../../api/batch/job/labels.ts';
import type { Pod } from '../../../api/core/pod/schema.ts';
import { matches, selectorOf } from '../../../api/meta/selector.ts';
import type { PodAct } from '../plan.ts';
import type { JobSnapshot } from '../snapshot.ts';
import { isTracked } from './classify.ts';

/** The Pods that belong to the Job, those it must adopt, and those it must release. */
export interface Claim {
	/**
	 * The Job's Pods. A Pod to adopt is included as it will be after the adoption: with the tracking finalizer.
	 */
	readonly pods: readonly Pod[];
	readonly adopt: readonly PodAct[];
	readonly release: readonly PodAct[];
}

/**
 * Applies the Job's selector to its Pods and to orphans (upstream: PodControllerRefManager.ClaimPods).
 *
 * A Job under deletion neither adopts nor releases Pods; it keeps all its Pods, even if the selector no longer
 * matches them. Otherwise no component would remove their tracking finalizer, and a foreground deletion would
 * wait for them forever. (Upstream ignores such Pods, and the deletion never completes.)
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
