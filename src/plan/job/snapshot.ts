import type { Job } from '../../api/batch/job/schema.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import type { BackoffHistory } from './backoff.ts';

/** All that {@link planJob} decides from. */
export interface JobSnapshot {
	readonly job: Job;
	/**
	 * The Pods whose controller is this Job. Those that have ended and no longer hold the tracking
	 * finalizer are counted already and may be left out; they change nothing.
	 */
	readonly pods: readonly Pod[];
	/** The Pods of the namespace that have no controller and that the Job might adopt. */
	readonly orphans: readonly Pod[];
	/** In milliseconds. */
	readonly now: number;
	/** What was known of finished Pods before; the plan hands back what is known after. */
	readonly backoff: BackoffHistory;
}
