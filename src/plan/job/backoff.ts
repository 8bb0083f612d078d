import type { Job } from '../../api/batch/job/schema.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { timeOf } from '../../api/meta/time.ts';
import { type BackoffPolicy, backoffDelayMs } from '../../base/backoff.ts';
import { approximate } from '../../base/json.ts';
import { isSidecar } from '../pod/snapshot.ts';
import { countsAsFailed, viewPods } from './classify.ts';

/**
 * How long a Job waits before it replaces failed Pods.
 *
 * Upstream keeps a tally in memory that adds up what each sync happens to see, and loses it in a
 * restart. Here the delay is a function of the Pods' own finish times: failures after the last success
 * count. {@link observeFinished} may therefore be told of the same Pods again, in any order and in any
 * portions, and after a restart the Pods that are there tell the same again. Only Pods that were
 * deleted meanwhile are forgotten by a restart. Times are by the second: of a success and a failure in the
 * same one, the later is the one that was heard of later, as in upstream's tally.
 */
export interface BackoffHistory {
	/** When the latest successful Pod finished, in milliseconds. */
	readonly lastSuccessMs?: number;
	/** The latest failures after that, the earliest first; more would not make the delay longer. */
	readonly failures: readonly Failure[];
}

/** A failed Pod and when it finished, in milliseconds. */
export interface Failure {
	readonly uid: string;
	readonly finishedMs: number;
}

/** The delay before a failed Pod is replaced. */
export const POD_BACKOFF: BackoffPolicy = { baseMs: 10_000, capMs: 600_000 };

/** From this many failures on the delay does not grow: 10 s doubled six times is over its cap. */
const FAILURES_THAT_MATTER = 7;

/** Nothing finished yet. */
export const NO_HISTORY: BackoffHistory = { failures: [] };

/** Takes finished Pods into the history; Pods it knows already change nothing. */
export function observeFinished(
	history: BackoffHistory,
	finished: { readonly succeeded: Iterable<Pod>; readonly failed: Iterable<Pod> },
): BackoffHistory {
	const before = history.lastSuccessMs ?? Number.NEGATIVE_INFINITY;
	let lastSuccessMs = before;
	for (const pod of finished.succeeded) lastSuccessMs = Math.max(lastSuccessMs, finishTime(pod));
	const known = new Set(history.failures.map(({ uid }) => uid));
	const fresh: Failure[] = [];
	for (const pod of finished.failed) {
		const uid = pod.metadata.uid ?? '';
		if (!known.has(uid)) fresh.push({ uid, finishedMs: finishTime(pod) });
	}
	if (fresh.length === 0 && lastSuccessMs === before) return history;
	const isLater = (ms: number): boolean =>
		lastSuccessMs === before ? ms >= lastSuccessMs : ms > lastSuccessMs;
	const failures = [...history.failures, ...fresh]
		.filter(({ finishedMs }) => isLater(finishedMs))
		.sort((a, b) => a.finishedMs - b.finishedMs || (a.uid < b.uid ? -1 : 1))
		.slice(-FAILURES_THAT_MATTER);
	return { ...(Number.isFinite(lastSuccessMs) && { lastSuccessMs }), failures };
}

/**
 * The history as the Pods alone tell it, for a Job that nothing is known of yet: all its Pods, counted
 * or not. What is being deleted without the tracking finalizer was removed, not lost.
 */
export function recallBackoff(job: Job, pods: readonly Pod[]): BackoffHistory {
	const views = viewPods(job, pods).filter(({ pod, tracked }) => tracked || !pod.metadata.deletionTimestamp);
	return observeFinished(NO_HISTORY, {
		succeeded: views.filter(({ standing }) => standing === 'succeeded').map(({ pod }) => pod),
		failed: views.filter(countsAsFailed).map(({ pod }) => pod),
	});
}

/** How long the Job still has to wait before it may replace Pods, in milliseconds. */
export function remainingBackoffMs(history: BackoffHistory, now: number): number {
	const last = history.failures.at(-1);
	return last ? remainingMs(history.failures.length, last.finishedMs, now) : 0;
}

/** The same for one index: its last failed Pod finished at `finishedMs` as failure number `failures`. */
export function remainingMs(failures: number, finishedMs: number, now: number): number {
	return Math.max(0, backoffDelayMs(POD_BACKOFF, failures) - (now - finishedMs));
}

/**
 * When a Pod finished, in milliseconds: when the last of its containers did, if all have; else when it
 * ceased to be ready; else when its deletion was asked for; else when it was created.
 */
export function finishTime(pod: Pod): number {
	const { deletionTimestamp, deletionGracePeriodSeconds = 0, creationTimestamp } = pod.metadata;
	const ended = endOfContainers(pod) ?? endOfReadiness(pod);
	if (ended !== undefined) return ended;
	if (deletionTimestamp) return timeOf(deletionTimestamp) - approximate(deletionGracePeriodSeconds) * 1000;
	return timeOf(creationTimestamp) ?? 0;
}

/** Sidecars are among them, which end last; other init containers are not. */
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
