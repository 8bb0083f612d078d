import type { Job } from '../../api/batch/job/schema.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { semanticEqual } from '../../api/meta/equality.ts';
import { hasEnded, isReady, isTracked } from '../../plan/job/classify.ts';

/**
 * Which changes a Job has to be looked at for. Most changes of a Pod (its binding, its containers' ids
 * and times) mean nothing to its Job; to pass over them here is what keeps a Job's passes few.
 */

/**
 * When a Job is looked at because a Pod of it changed. `soon`: within {@link BATCH_MS}, as only a number
 * in its status follows from it.
 */
export type Attention = 'now' | 'soon' | 'never';

/** Upstream's syncJobBatchPeriod. There every change of a Pod waits so long; here nothing waits that something follows from. */
export const BATCH_MS = 1000;

/** What a change of a Pod calls for from its Job. */
export function attentionTo(pod: Pod | undefined, old: Pod | undefined): Attention {
	if (!pod || !old) return isSettled(pod ?? old) ? 'never' : 'now';
	if (isSettled(pod) && isSettled(old))
		return semanticEqual(pod.metadata.labels, old.metadata.labels) ? 'never' : 'now';
	const decides =
		hasEnded(pod) !== hasEnded(old) ||
		pod.metadata.deletionTimestamp !== old.metadata.deletionTimestamp ||
		isTracked(pod) !== isTracked(old) ||
		restartsOf(pod) !== restartsOf(old) ||
		!semanticEqual(pod.metadata.labels, old.metadata.labels) ||
		!semanticEqual(pod.metadata.annotations, old.metadata.annotations) ||
		!semanticEqual(pod.metadata.ownerReferences, old.metadata.ownerReferences);
	if (decides) return 'now';
	return isReady(pod) === isReady(old) ? 'never' : 'soon';
}

/** Whether a change of a Job is one that only its own controller makes: the status, and nothing else. */
export function isStatusOnly(job: Job, old: Job): boolean {
	return (
		job.metadata.generation === old.metadata.generation &&
		job.metadata.deletionTimestamp === old.metadata.deletionTimestamp &&
		semanticEqual(job.metadata.finalizers, old.metadata.finalizers)
	);
}

/** The Pod has ended and its Job has let go of it. */
function isSettled(pod: Pod | undefined): boolean {
	return pod === undefined || (hasEnded(pod) && !isTracked(pod));
}

function restartsOf({ status }: Pod): number {
	let restarts = 0;
	for (const { restartCount } of status.containerStatuses ?? []) restarts += restartCount;
	for (const { restartCount } of status.initContainerStatuses ?? []) restarts += restartCount;
	return restarts;
}
