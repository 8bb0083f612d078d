import { INDEX_FAILURE_COUNT, INDEX_IGNORED_FAILURE_COUNT } from '../../../api/batch/job/labels.ts';
import type { Job } from '../../../api/batch/job/schema.ts';
import type { Pod } from '../../../api/core/pod/schema.ts';
import { type BackoffHistory, finishTime, observeFinished } from '../backoff.ts';
import { IndexSet } from '../index-set.ts';
import { judgeFailure } from '../pod-failure-policy.ts';
import {
	countsAsFailed,
	countsAsTerminating,
	isIndexed,
	type PodView,
	viewPods,
	wholeNumber,
} from './classify.ts';

/** A Job, its Pods and all counts that the rules use. Computed once per plan, because every rule needs them. */
export interface JobView {
	readonly job: Job;
	readonly now: number;
	readonly pods: readonly PodView[];
	readonly active: readonly PodView[];
	readonly ready: number;
	/** Pods that are being deleted and have not ended. */
	readonly terminating: number;
	readonly uncounted: Uncounted;
	/** All successes so far, counted in the status or not; for Indexed Jobs the size of `completed`. */
	readonly succeeded: number;
	/** All failures so far that count against backoffLimit, counted in the status or not. */
	readonly failed: number;
	readonly backoff: BackoffHistory;
	/** Present for Indexed Jobs. */
	readonly indexes?: IndexView;
}

/** The UIDs in `status.uncountedTerminatedPods`: ended Pods whose finalizer may not be removed yet. */
export interface Uncounted {
	readonly succeeded: ReadonlySet<string>;
	readonly failed: ReadonlySet<string>;
}

/** The indexes of an Indexed Job. */
export interface IndexView {
	readonly completions: number;
	/** The indexes in `status.completedIndexes`. */
	readonly completedBefore: IndexSet;
	/** Those, and the indexes of Pods that have succeeded since. */
	readonly completed: IndexSet;
	/** Present with backoffLimitPerIndex. */
	readonly perIndex?: PerIndexView;
}

/** The state that only Jobs with backoffLimitPerIndex have. */
export interface PerIndexView {
	readonly failed: IndexSet;
	/**
	 * By index: the failed Pod from which the replacement copies the failure counts (annotations). It keeps its
	 * finalizer until the replacement exists, so that the counts cannot be lost.
	 */
	readonly lastFailed: ReadonlyMap<number, PodView>;
}

/** A Job as the controller sees it at a time. */
export interface SeenJob {
	readonly job: Job;
	readonly now: number;
	readonly backoff: BackoffHistory;
}

/** Computes the view of a Job from the Pods that belong to it (see claimPods). */
export function viewJob({ job, now, backoff }: SeenJob, pods: readonly Pod[]): JobView {
	const views = viewPods(job, pods);
	const active = views.filter(({ category }) => category === 'active');
	const uncounted: Uncounted = {
		succeeded: new Set(job.status.uncountedTerminatedPods?.succeeded),
		failed: new Set(job.status.uncountedTerminatedPods?.failed),
	};
	// A Pod that was recorded as failed while it was being deleted may still succeed; it stays recorded as
	// failed.
	const fresh = views.filter(
		({ tracked, countable, uid }) => tracked && countable && !uncounted.failed.has(uid),
	);
	const newlySucceeded = fresh.filter(
		({ category, uid }) => category === 'succeeded' && !uncounted.succeeded.has(uid),
	);
	const newlyFailed = fresh.filter(countsAsFailed);
	const { podFailurePolicy } = job.spec;
	const newlyCounted = newlyFailed.filter(({ pod }) => judgeFailure(podFailurePolicy, pod).counted);
	const indexes = isIndexed(job) ? viewIndexes(job, { newlySucceeded, newlyFailed, active }) : undefined;
	return {
		job,
		now,
		pods: views,
		active,
		ready: active.filter(({ ready }) => ready).length,
		terminating: views.filter(countsAsTerminating).length,
		uncounted,
		succeeded:
			indexes?.completed.size ??
			(job.status.succeeded ?? 0) + newlySucceeded.length + uncounted.succeeded.size,
		failed: (job.status.failed ?? 0) + newlyCounted.length + uncounted.failed.size,
		backoff: observeFinished(backoff, {
			succeeded: newlySucceeded.map(podOf),
			failed: newlyFailed.map(podOf),
		}),
		...(indexes && { indexes }),
	};
}

function podOf({ pod }: PodView): Pod {
	return pod;
}

function viewIndexes(
	job: Job,
	pods: Record<'newlySucceeded' | 'newlyFailed' | 'active', readonly PodView[]>,
): IndexView {
	const { newlySucceeded, newlyFailed, active } = pods;
	const completions = job.spec.completions ?? 0;
	const perIndex = job.spec.backoffLimitPerIndex !== undefined;
	const completedBefore = IndexSet.parse(job.status.completedIndexes, completions);
	const failedBefore = IndexSet.parse(perIndex ? job.status.failedIndexes : undefined, completions);
	// A Pod that was replaced while it was being deleted may still succeed, while its replacement fails. The one
	// observed first decides: the API server rejects a status with an index in both lists.
	const good = newlySucceeded.filter(({ index = -1 }) => !failedBefore.has(index));
	const completed = completedBefore.union(IndexSet.of(indexesOf(good)));
	if (!perIndex) return { completions, completedBefore, completed };
	const bad = newlyFailed.filter(({ pod, index = -1 }) => failsItsIndex(job, pod) && !completed.has(index));
	const failed = failedBefore.union(IndexSet.of(indexesOf(bad)));
	const settled = new Set(indexesOf(active));
	const open = newlyFailed.filter(
		({ index = -1 }) => !completed.has(index) && !failed.has(index) && !settled.has(index),
	);
	return {
		completions,
		completedBefore,
		completed,
		perIndex: { failed, lastFailed: lastFailedByIndex(open) },
	};
}

function* indexesOf(pods: Iterable<PodView>): Iterable<number> {
	for (const { index } of pods) if (index !== undefined) yield index;
}

/**
 * Whether this failure makes its index fail: by a FailIndex rule, or because it exceeds backoffLimitPerIndex.
 */
function failsItsIndex({ spec }: Job, pod: Pod): boolean {
	const verdict = judgeFailure(spec.podFailurePolicy, pod);
	if (verdict.action === 'FailIndex') return true;
	return verdict.counted && failureCounts(pod).counted >= (spec.backoffLimitPerIndex ?? 0);
}

function lastFailedByIndex(failed: readonly PodView[]): ReadonlyMap<number, PodView> {
	const last = new Map<number, PodView>();
	for (const view of failed) {
		const { index } = view;
		if (index === undefined) continue;
		const other = last.get(index);
		if (!other || isLater(view.pod, other.pod)) last.set(index, view);
	}
	return last;
}

/** The Pod with more recorded failures is the later one; the finish times decide between equal ones. */
function isLater(pod: Pod, other: Pod): boolean {
	return totalFailures(pod) >= totalFailures(other) && finishTime(pod) >= finishTime(other);
}

/**
 * The failures of the Pod's index before this Pod, from its annotations. 0 if an annotation is missing or
 * invalid.
 */
export function failureCounts({ metadata }: Pod): { readonly counted: number; readonly ignored: number } {
	return {
		counted: wholeNumber(metadata.annotations?.[INDEX_FAILURE_COUNT]) ?? 0,
		ignored: wholeNumber(metadata.annotations?.[INDEX_IGNORED_FAILURE_COUNT]) ?? 0,
	};
}

/** All failures of the Pod's index before this Pod: counted and ignored ones. */
export function totalFailures(pod: Pod): number {
	const { counted, ignored } = failureCounts(pod);
	return counted + ignored;
}
