import type { Job } from '../../src/api/batch/job/schema.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { timeOf } from '../../src/api/meta/time.ts';
import { completionIndexOf } from '../../src/plan/job/classify.ts';

/**
 * How soon a failed Pod may be replaced, worked out from the Pods that are there alone: the controller
 * may remember more of them, and then wait longer.
 */

const BASE_MS = 10_000;
const CAP_MS = 600_000;

/** What is known of a Job's Pods. */
export interface KnownEnds {
	/** Pods that are there and whose end the controller knew. */
	readonly pods: readonly Pod[];
	/** When the last Pod that succeeded ended, also one that is gone; 0 before the first. */
	readonly lastSuccessMs: number;
}

/** When the Job may make a Pod (for this index) at the earliest. */
export function earliestReplacement(job: Job, known: KnownEnds, index: number | undefined): number {
	const perIndex = job.spec.backoffLimitPerIndex !== undefined;
	const failures = known.pods
		// One that is being deleted may have counted before its end.
		.filter(({ status, metadata }) => status.phase === 'Failed' && metadata.deletionTimestamp === undefined)
		.filter((pod) => !perIndex || completionIndexOf(pod) === index)
		.flatMap((pod) => endOf(pod) ?? [])
		.filter((end) => perIndex || end > known.lastSuccessMs);
	if (failures.length === 0) return 0;
	const count = perIndex ? 1 : failures.length;
	return Math.max(...failures) + Math.min(CAP_MS, BASE_MS * 2 ** (count - 1));
}

/** When the last container of the Pod ended, if all have. */
export function endOf({ status }: Pod): number | undefined {
	const ends = (status.containerStatuses ?? []).map(({ state }) => timeOf(state?.terminated?.finishedAt));
	return ends.length === 0 || ends.includes(undefined) ? undefined : Math.max(...ends.map((end) => end ?? 0));
}
