import type { JobStatus } from '../../api/batch/job/schema.ts';
import { countsAsFailed, isIndexed, type PodView } from './classify.ts';
import type { EndState } from './end-state.ts';
import type { PodAct } from './plan.ts';
import { type FailureAction, judgeFailure } from './pod-failure-policy.ts';
import { changeStatus, settleStatus, uncountedOf } from './status.ts';
import type { JobView } from './view.ts';

/** How many ended Pods one status write notes: their UIDs stay under about 20 KB. */
export const MOST_UNCOUNTED = 500;

/**
 * The protocol by which each ended Pod is counted exactly once:
 *
 * 1. Its UID goes into the status' uncounted lists (of an Indexed Job's success: its index goes into
 *    completedIndexes, which is proof enough). Only after that write is its finalizer taken off.
 * 2. Once the finalizer is off, its UID leaves the list and enters the count, in one write.
 */
export interface Tracking {
	/** Write number 1. */
	readonly status: JobStatus;
	readonly takeFinalizers: readonly PodAct[];
	/** What the rules of the pod failure policy said about Pods that write number 1 deals with. */
	readonly failureActions: readonly FailureAction[];
	/** The status once all these finalizers are off. */
	readonly settled: JobStatus;
	/** There were more Pods than one write may note. */
	readonly truncated: boolean;
}

/** Notes what has ended; `base` is the status with all but the counts of ended Pods brought up to date. */
export function trackPods(view: JobView, end: EndState | undefined, base: JobStatus): Tracking {
	const tracked = new Set<string>();
	for (const { uid, tracked: holds } of view.pods) if (holds) tracked.add(uid);
	const start = settleStatus(base, (uid) => tracked.has(uid));
	const notes = notePods(view, end, start);
	const status = changeStatus(start, {
		uncountedTerminatedPods: uncountedOf(notes.succeeded, notes.failed),
		...indexFields(view),
	});
	for (const { pod } of notes.taken) tracked.delete(pod.metadata.uid ?? '');
	const settled = settleStatus(status, (uid) => tracked.has(uid));
	const { taken: takeFinalizers, failureActions, truncated } = notes;
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

interface Notes {
	readonly succeeded: readonly string[];
	readonly failed: readonly string[];
	readonly taken: readonly PodAct[];
	readonly failureActions: readonly FailureAction[];
	readonly truncated: boolean;
}

function notePods(view: JobView, end: EndState | undefined, start: JobStatus): Notes {
	const succeeded = [...(start.uncountedTerminatedPods?.succeeded ?? [])];
	const failed = [...(start.uncountedTerminatedPods?.failed ?? [])];
	const taken: PodAct[] = [];
	const failureActions: FailureAction[] = [];
	let newIndexes = 0;
	for (const { pod, because } of releasable(view, end)) {
		taken.push({ pod: pod.pod, because });
		const { note, action } = noteFor(pod, view, end);
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

/** The tracked Pods that may lose their finalizer, lower indexes first. */
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
	if (pod.standing === 'succeeded') return pod.because;
	if (!countsAsFailed(pod)) return undefined;
	const awaitsReplacement = view.indexes?.perIndex?.lastFailed.get(pod.index ?? -1) === pod;
	return awaitsReplacement ? undefined : pod.because;
}

interface PodNote {
	/** Where the status notes the Pod, if it does. */
	readonly note?: 'succeeded' | 'failed' | 'index';
	/** The action of the pod failure policy's rule that matched, if one did. */
	readonly action?: FailureAction;
}

const NO_NOTE: PodNote = {};

/** How the Pod is noted. */
function noteFor(pod: PodView, { job, uncounted, indexes }: JobView, end: EndState | undefined): PodNote {
	if (uncounted.succeeded.has(pod.uid) || uncounted.failed.has(pod.uid) || !pod.countable) return NO_NOTE;
	if (pod.standing === 'succeeded') {
		if (!indexes) return { note: 'succeeded' };
		return indexes.completedBefore.has(pod.index ?? -1) ? NO_NOTE : { note: 'index' };
	}
	// When the Job fails, what still runs fails with it; when it succeeds, what still runs is not counted.
	if (!countsAsFailed(pod) && end?.outcome !== 'failure') return NO_NOTE;
	const { counted, action } = judgeFailure(job.spec.podFailurePolicy, pod.pod);
	return { ...(counted && { note: 'failed' }), ...(action && { action }) };
}
