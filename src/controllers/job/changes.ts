/**
 * Decides which changes of Pods and Jobs make the Job controller reconcile a Job. Most changes of a Pod (its
 * binding, the ids and times of its containers) do not affect its Job. Upstream reconciles for each of them;
 * ignoring them here saves most reconciles.
 */

import type { Job } from '../../api/batch/job/schema.ts';
import { hasEnded } from '../../api/core/pod/phase.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { semanticEqual } from '../../api/schema/equality.ts';
import { isReady, isTracked, restartCountOf } from '../../plan/job/pods/classify.ts';

/**
 * How soon a Job must be reconciled after a change of one of its Pods. `soon`: within {@link BATCH_MS}, because
 * the change affects nothing but a counter in the Job's status.
 */
export type ReconcileUrgency = 'now' | 'soon' | 'never';

/**
 * Upstream's syncJobBatchPeriod. Upstream delays the reconcile after every Pod change by this time. Here only
 * changes that affect nothing but a counter are delayed, so that a failed Pod is replaced at once.
 */
export const BATCH_MS = 1000;

/**
 * How soon the Job must be reconciled after its Pod changed from `old` to `pod`. `pod` is undefined if the Pod
 * was deleted, `old` if it is new.
 */
export function attentionTo(pod: Pod | undefined, old: Pod | undefined): ReconcileUrgency {
	if (!pod || !old) return isSettled(pod ?? old) ? 'never' : 'now';
	if (isSettled(pod) && isSettled(old))
		return semanticEqual(pod.metadata.labels, old.metadata.labels) ? 'never' : 'now';
	const decides =
		hasEnded(pod) !== hasEnded(old) ||
		pod.metadata.deletionTimestamp !== old.metadata.deletionTimestamp ||
		isTracked(pod) !== isTracked(old) ||
		restartCountOf(pod) !== restartCountOf(old) ||
		!semanticEqual(pod.metadata.labels, old.metadata.labels) ||
		!semanticEqual(pod.metadata.annotations, old.metadata.annotations) ||
		!semanticEqual(pod.metadata.ownerReferences, old.metadata.ownerReferences);
	if (decides) return 'now';
	return isReady(pod) === isReady(old) ? 'never' : 'soon';
}

/**
 * Whether a Job changed in nothing but its status. Only the Job controller itself makes such changes, so it
 * need not reconcile the Job for them. The generation covers the spec.
 */
export function isStatusOnly(job: Job, old: Job): boolean {
	return (
		job.metadata.generation === old.metadata.generation &&
		job.metadata.deletionTimestamp === old.metadata.deletionTimestamp &&
		semanticEqual(job.metadata.finalizers, old.metadata.finalizers)
	);
}

/** Whether the Pod has ended and the Job controller has removed its tracking finalizer: it is counted. */
function isSettled(pod: Pod | undefined): boolean {
	return pod === undefined || (hasEnded(pod) && !isTracked(pod));
}
