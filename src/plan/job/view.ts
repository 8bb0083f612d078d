import type { Job } from '../../api/batch/job/schema.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { type BackoffHistory, finishTime, observeFinished } from './backoff.ts';
import { countsAsFailed, isIndexed, isTerminating, type PodView, viewPods, wholeNumber } from './classify.ts';
import { INDEX_FAILURE_COUNT, INDEX_IGNORED_FAILURE_COUNT } from './identifiers.ts';
import { IndexSet } from './indexes.ts';
import { judgeFailure } from './pod-failure-policy.ts';

/** A Job and its Pods with everything that the rules count: made once per plan, read by all of them. */
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

/** The Pods whose end the status has noted and whose finalizer may still be there. */
export interface Uncounted {
	readonly succeeded: ReadonlySet<string>;
	readonly failed: ReadonlySet<string>;
}

/** What an Indexed Job knows of its indexes. */
export interface IndexView {
	readonly completions: number;
	/** What the status says has succeeded. */
	readonly completedBefore: IndexSet;
	/** That, and what has succeeded since. */
	readonly completed: IndexSet;
	/** Present with backoffLimitPerIndex. */
	readonly perIndex?: PerIndexView;
}

/** What backoffLimitPerIndex needs. */
export interface PerIndexView {
	readonly failed: IndexSet;
	/**
	 * By index, the failed Pod whose annotations its replacement takes over; it keeps its finalizer until
	 * the replacement is there, so that the counts cannot be lost.
	 */
	readonly lastFailed: ReadonlyMap<number, PodView>;
}

/** Sees the Job and those Pods that are its own. */
export function viewJob(job: Job, pods: readonly Pod[], now: number, history: BackoffHistory): JobView {
	const views = viewPods(job, pods);
	const active = views.filter(({ standing }) => standing === 'active');
	const uncounted: Uncounted = {
		succeeded: new Set(job.status.uncountedTerminatedPods?.succeeded),
		failed: new Set(job.status.uncountedTerminatedPods?.failed),
	};
	// A Pod that was noted as failed while it was being deleted may still end well; it failed all the same.
	const fresh = views.filter(
		({ tracked, countable, uid }) => tracked && countable && !uncounted.failed.has(uid),
	);
	const newlySucceeded = fresh.filter(
		({ standing, uid }) => standing === 'succeeded' && !uncounted.succeeded.has(uid),
	);
	const newlyFailed = fresh.filter(countsAsFailed);
	const { podFailurePolicy } = job.spec;
	const newlyCounted = newlyFailed.filter(({ pod }) => judgeFailure(podFailurePolicy, pod).counted);
	const indexes = isIndexed(job) ? viewIndexes(job, newlySucceeded, newlyFailed, active) : undefined;
	return {
		job,
		now,
		pods: views,
		active,
		ready: active.filter(({ ready }) => ready).length,
		terminating: views.filter(isTerminating).length,
		uncounted,
		succeeded:
			indexes?.completed.size ??
			(job.status.succeeded ?? 0) + newlySucceeded.length + uncounted.succeeded.size,
		failed: (job.status.failed ?? 0) + newlyCounted.length + uncounted.failed.size,
		backoff: observeFinished(history, {
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
	newlySucceeded: readonly PodView[],
	newlyFailed: readonly PodView[],
	active: readonly PodView[],
): IndexView {
	const completions = job.spec.completions ?? 0;
	const perIndex = job.spec.backoffLimitPerIndex !== undefined;
	const completedBefore = IndexSet.parse(job.status.completedIndexes, completions);
	const failedBefore = IndexSet.parse(perIndex ? job.status.failedIndexes : undefined, completions);
	// A Pod that was replaced while it was being deleted may still succeed, beside a replacement that
	// fails. Whichever is seen first decides; an index in both lists would be refused by the server.
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

/** Whether this failure is the one that its index does not survive. */
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

function isLater(pod: Pod, other: Pod): boolean {
	return totalFailures(pod) >= totalFailures(other) && finishTime(pod) >= finishTime(other);
}

/** The failures that the Pod's index had before this Pod, as its annotations tell. */
export function failureCounts({ metadata }: Pod): { readonly counted: number; readonly ignored: number } {
	return {
		counted: wholeNumber(metadata.annotations?.[INDEX_FAILURE_COUNT]) ?? 0,
		ignored: wholeNumber(metadata.annotations?.[INDEX_IGNORED_FAILURE_COUNT]) ?? 0,
	};
}

/** The same, added up. */
export function totalFailures(pod: Pod): number {
	const { counted, ignored } = failureCounts(pod);
	return counted + ignored;
}
