import type { Job } from '../../api/batch/job/schema.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { timeOf } from '../../api/meta/time.ts';
import { compareText } from '../../base/compare-text.ts';
import { approximate } from '../../base/json/json.ts';
import { type BackoffPolicy, backoffDelayMs, failuresUntilCap } from '../../base/queue/backoff.ts';
import { isSidecar } from '../pod/snapshot.ts';
import { countsAsFailed, viewPods } from './pods/classify.ts';

/**
 * The finished Pods that determine the backoff of a Job: the delay before it replaces failed Pods.
 *
 * Upstream's backoffStore (pkg/controller/job/backoff_utils.go) counts in memory the failures that each sync
 * observes, and loses the count at a restart. Here the delay is a function of the Pods' finish times: the
 * failures after the last success count. So {@link observeFinished} may receive the same Pods again, in any
 * order and grouping, and after a restart the existing Pods give the same history. A restart loses only Pods
 * that were deleted in the meantime.
 *
 * Finish times have a resolution of one second. Of a success and a failure in the same second, the one observed
 * later counts as the later one, as upstream does it.
 */
export interface BackoffHistory {
	/** When the latest successful Pod finished, in ms since the epoch. */
	readonly lastSuccessMs?: number;
	/** The latest failures after that in ascending order, at most as many as affect the delay. */
	readonly failures: readonly FailedPod[];
}

/** A failed Pod and when it finished, in ms since the epoch. */
export interface FailedPod {
	readonly uid: string;
	readonly finishedMs: number;
}

/**
 * The delay before a failed Pod is replaced: upstream's DefaultJobPodFailureBackOff and
 * MaxJobPodFailureBackOff.
 */
export const POD_BACKOFF: BackoffPolicy = { baseMs: 10_000, capMs: 600_000 };

/** More failures do not make the delay longer. */
const FAILURES_THAT_MATTER = failuresUntilCap(POD_BACKOFF);

/** The history of a Job without finished Pods. */
export const NO_HISTORY: BackoffHistory = { failures: [] };

/** The history with these finished Pods added. Pods that it contains already do not change it. */
export function observeFinished(
	history: BackoffHistory,
	finished: { readonly succeeded: Iterable<Pod>; readonly failed: Iterable<Pod> },
): BackoffHistory {
	const before = history.lastSuccessMs ?? Number.NEGATIVE_INFINITY;
	let lastSuccessMs = before;
	for (const pod of finished.succeeded) lastSuccessMs = Math.max(lastSuccessMs, finishTime(pod));
	const known = new Set(history.failures.map(({ uid }) => uid));
	const added: FailedPod[] = [];
	for (const pod of finished.failed) {
		const uid = pod.metadata.uid ?? '';
		if (!known.has(uid)) added.push({ uid, finishedMs: finishTime(pod) });
	}
	if (added.length === 0 && lastSuccessMs === before) return history;
	const isLater = (ms: number): boolean =>
		lastSuccessMs === before ? ms >= lastSuccessMs : ms > lastSuccessMs;
	const failures = [...history.failures, ...added]
		.filter(({ finishedMs }) => isLater(finishedMs))
		.sort((a, b) => a.finishedMs - b.finishedMs || compareText(a.uid, b.uid))
		.slice(-FAILURES_THAT_MATTER);
	return { ...(Number.isFinite(lastSuccessMs) && { lastSuccessMs }), failures };
}

/**
 * The history rebuilt from all Pods of a Job, counted or not; used for a Job that this process has not planned
 * yet. A Pod that is being deleted and has no tracking finalizer was removed as surplus, so it is not a
 * failure.
 */
export function recallBackoff(job: Job, pods: readonly Pod[]): BackoffHistory {
	const views = viewPods(job, pods).filter(({ pod, tracked }) => tracked || !pod.metadata.deletionTimestamp);
	return observeFinished(NO_HISTORY, {
		succeeded: views.filter(({ category }) => category === 'succeeded').map(({ pod }) => pod),
		failed: views.filter(countsAsFailed).map(({ pod }) => pod),
	});
}

/** Milliseconds until the Job may replace failed Pods; 0 if it may do so now. */
export function remainingBackoffMs(history: BackoffHistory, now: number): number {
	const last = history.failures.at(-1);
	return last ? remainingMs(history.failures.length, last.finishedMs, now) : 0;
}

/**
 * Milliseconds until one index may be retried after its failure number `failures`, whose Pod finished at
 * `finishedMs`.
 */
export function remainingMs(failures: number, finishedMs: number, now: number): number {
	return Math.max(0, backoffDelayMs(POD_BACKOFF, failures) - (now - finishedMs));
}

/**
 * When a Pod finished, in ms since the epoch: when its last container finished, if all have; else when it
 * became unready; else when its deletion was requested; else when it was created. Upstream:
 * getFinishTimeFromContainers and getFinishedTime.
 */
export function finishTime(pod: Pod): number {
	const { deletionTimestamp, deletionGracePeriodSeconds = 0, creationTimestamp } = pod.metadata;
	const ended = endOfContainers(pod) ?? endOfReadiness(pod);
	if (ended !== undefined) return ended;
	if (deletionTimestamp) return timeOf(deletionTimestamp) - approximate(deletionGracePeriodSeconds) * 1000;
	return timeOf(creationTimestamp) ?? 0;
}

/**
 * When the last container finished. Includes sidecars, which are stopped last, but no other init containers.
 */
function endOfContainers({ spec, status }: Pod): number | undefined {
	const sidecars = new Set(spec.initContainers?.filter(isSidecar).map(({ name }) => name));
	const sidecarStatuses = status.initContainerStatuses?.filter(({ name }) => sidecars.has(name)) ?? [];
	let latest: number | undefined;
	for (const { state } of [...(status.containerStatuses ?? []), ...sidecarStatuses]) {
		const finishedMs = timeOf(state?.terminated?.finishedAt);
		if (finishedMs === undefined) return undefined;
		latest = Math.max(latest ?? finishedMs, finishedMs);
	}
	return latest;
}

function endOfReadiness(pod: Pod): number | undefined {
	const unready = pod.status.conditions?.find(({ type, status }) => type === 'Ready' && status === 'False');
	return timeOf(unready?.lastTransitionTime);
}
