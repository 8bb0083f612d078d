import type { JobStatus } from '../../../api/batch/job/schema.ts';
import type { EndState } from '../end-state.ts';
import type { PodAct } from '../plan.ts';
import { type FailureAction, judgeFailure } from '../pod-failure-policy.ts';
import { changeStatus, settleStatus, uncountedOf } from '../status.ts';
import { countsAsFailed, isIndexed, type PodView } from './classify.ts';
import type { JobView } from './view.ts';

/** Maximum number of ended Pods that one status write records, so that their UIDs take at most about 20 KB. */
export const MOST_UNCOUNTED = 500;

/**
 * The protocol that counts each ended Pod exactly once (upstream: trackJobStatusAndRemoveFinalizers):
 *
 * 1. The first status write adds the Pod's UID to `uncountedTerminatedPods`. For a success of an Indexed Job it
 *    adds the index to `completedIndexes` instead; a set of indexes cannot count one twice. Only after that
 *    write does the controller remove the finalizer.
 * 2. After the finalizer is removed, the second status write moves the UID from the list to the count, in one
 *    write.
 */
export interface Tracking {
	/** The first status write. */
	readonly status: JobStatus;
	readonly takeFinalizers: readonly PodAct[];
	/** One action for each Pod of the first status write that matched a rule of the pod failure policy. */
	readonly failureActions: readonly FailureAction[];
	/** The second status write, valid when all these finalizers have been removed. */
	readonly settled: JobStatus;
	/** Whether there were more Pods than one write may record. */
	readonly truncated: boolean;
}

/**
 * Plans the counting of ended Pods. `base` is the status with everything updated but the counts of ended Pods.
 */
export function trackPods(view: JobView, end: EndState | undefined, base: JobStatus): Tracking {
	const tracked = new Set<string>();
	for (const { uid, tracked: holds } of view.pods) if (holds) tracked.add(uid);
	const start = settleStatus(base, (uid) => tracked.has(uid));
	const recorded = recordPods(view, end, start);
	const status = changeStatus(start, {
		uncountedTerminatedPods: uncountedOf(recorded.succeeded, recorded.failed),
		...indexFields(view),
	});
	for (const { pod } of recorded.taken) tracked.delete(pod.metadata.uid ?? '');
	const settled = settleStatus(status, (uid) => tracked.has(uid));
	const { taken: takeFinalizers, failureActions, truncated } = recorded;
	return { status, takeFinalizers, failureActions, settled, truncated };
}

function indexFields({ indexes }: JobView): Partial<JobStatus> {
	if (!indexes) return {};
	return {
		succeeded: indexes.completed.size,
		completedIndexes: indexes.completed.toString(),
		failedIndexes: indexes.perIndex?.failed.toString(),
	};
}

interface RecordedPods {
	readonly succeeded: readonly string[];
	readonly failed: readonly string[];
	readonly taken: readonly PodAct[];
	readonly failureActions: readonly FailureAction[];
	readonly truncated: boolean;
}

function recordPods(view: JobView, end: EndState | undefined, start: JobStatus): RecordedPods {
	const succeeded = [...(start.uncountedTerminatedPods?.succeeded ?? [])];
	const failed = [...(start.uncountedTerminatedPods?.failed ?? [])];
	const taken: PodAct[] = [];
	const failureActions: FailureAction[] = [];
	let newIndexes = 0;
	for (const { pod, because } of releasable(view, end)) {
		taken.push({ pod: pod.pod, because });
		const { note, action } = trackingOf(pod, view, end);
		if (action) failureActions.push(action);
		if (note === 'succeeded') succeeded.push(pod.uid);
		else if (note === 'failed') failed.push(pod.uid);
		else if (note === 'index') newIndexes += 1;
		if (newIndexes + succeeded.length + failed.length >= MOST_UNCOUNTED) {
			return { succeeded, failed, taken, failureActions, truncated: true };
		}
	}
	return { succeeded, failed, taken, failureActions, truncated: false };
}

/** The tracked Pods that may lose their finalizer, in the order of their indexes. */
function releasable(view: JobView, end: EndState | undefined): readonly { pod: PodView; because: string }[] {
	const found: { pod: PodView; because: string }[] = [];
	for (const pod of view.pods) {
		const because = pod.tracked ? whyReleasable(pod, view, end) : undefined;
		if (because !== undefined) found.push({ pod, because });
	}
	if (isIndexed(view.job)) found.sort((a, b) => (a.pod.index ?? -1) - (b.pod.index ?? -1));
	return found;
}

function whyReleasable(pod: PodView, view: JobView, end: EndState | undefined): string | undefined {
	if (view.job.metadata.deletionTimestamp) return 'the Job is being deleted';
	if (end) return `the Job ends: ${end.because}`;
	if (pod.category === 'succeeded') return pod.because;
	if (!countsAsFailed(pod)) return undefined;
	const awaitsReplacement = view.indexes?.perIndex?.lastFailed.get(pod.index ?? -1) === pod;
	return awaitsReplacement ? undefined : pod.because;
}

interface PodTracking {
	/**
	 * The part of the status that records the Pod; undefined if it is recorded already or must not be counted.
	 */
	readonly note?: 'succeeded' | 'failed' | 'index';
	/** The action of the pod failure policy's rule that matched, if one did. */
	readonly action?: FailureAction;
}

const NOT_RECORDED: PodTracking = {};

/** How the first status write records the Pod. */
function trackingOf(
	pod: PodView,
	{ job, uncounted, indexes }: JobView,
	end: EndState | undefined,
): PodTracking {
	if (uncounted.succeeded.has(pod.uid) || uncounted.failed.has(pod.uid) || !pod.countable)
		return NOT_RECORDED;
	if (pod.category === 'succeeded') {
		if (!indexes) return { note: 'succeeded' };
		return indexes.completedBefore.has(pod.index ?? -1) ? NOT_RECORDED : { note: 'index' };
	}
	// If the Job fails, its active Pods count as failed; if it succeeds, its active Pods are not counted.
	if (!countsAsFailed(pod) && end?.outcome !== 'failure') return NOT_RECORDED;
	const { counted, action } = judgeFailure(job.spec.podFailurePolicy, pod.pod);
	return { ...(counted && { note: 'failed' }), ...(action && { action }) };
}
