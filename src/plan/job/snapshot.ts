import type { Job } from '../../api/batch/job/schema.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import type { BackoffHistory } from './backoff.ts';

/** The input of planJob. */
export interface JobSnapshot {
	readonly job: Job;
	/**
	 * The Pods whose controller is this Job. Pods that have ended and no longer have the tracking finalizer are
	 * counted already; they do not affect the plan and may be omitted.
	 */
	readonly pods: readonly Pod[];
	/** The Pods of the namespace that have no controller and that the Job might adopt. */
	readonly orphans: readonly Pod[];
	/** Milliseconds since the epoch. */
	readonly now: number;
	/** The history from the previous plan of this Job; the new plan returns the updated one. */
	readonly backoff: BackoffHistory;
}
