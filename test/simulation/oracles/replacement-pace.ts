import type { Job } from '../../../src/api/batch/job/schema.ts';
import type { Pod } from '../../../src/api/core/pod/schema.ts';
import { timeOf } from '../../../src/api/meta/time.ts';
import { completionIndexOf } from '../../../src/plan/job/pods/classify.ts';

/**
 * How soon a failed Pod may be replaced, computed from the existing Pods alone. It is a lower bound: the
 * controller may also remember failures of deleted Pods and wait longer. Upstream's rule is in
 * pkg/controller/job/backoff_utils.go.
 */

const BASE_MS = 10_000;
const CAP_MS = 600_000;

/** The ends of a Job's Pods that its controller knew. */
export interface KnownEnds {
	/** Existing Pods whose end the controller knew. */
	readonly pods: readonly Pod[];
	/** When the last Pod that succeeded ended, deleted ones included, in ms; 0 before the first. */
	readonly lastSuccessMs: number;
}

/** The earliest time, in ms since the epoch, at which the Job may create a Pod (for this index). */
export function earliestReplacement(job: Job, known: KnownEnds, index: number | undefined): number {
	const perIndex = job.spec.backoffLimitPerIndex !== undefined;
	const failures = known.pods
		// A terminating Pod may have counted as failed before its end, so its end is not the start of the delay.
		.filter(({ status, metadata }) => status.phase === 'Failed' && metadata.deletionTimestamp === undefined)
		.filter((pod) => !perIndex || completionIndexOf(pod) === index)
		.flatMap((pod) => endOf(pod) ?? [])
		.filter((end) => perIndex || end > known.lastSuccessMs);
	if (failures.length === 0) return 0;
	const count = perIndex ? 1 : failures.length;
	return Math.max(...failures) + Math.min(CAP_MS, BASE_MS * 2 ** (count - 1));
}

/** When the last container of the Pod ended; undefined while one has not. */
export function endOf({ status }: Pod): number | undefined {
	const ends = (status.containerStatuses ?? []).map(({ state }) => timeOf(state?.terminated?.finishedAt));
	return ends.length === 0 || ends.includes(undefined) ? undefined : Math.max(...ends.map((end) => end ?? 0));
}
