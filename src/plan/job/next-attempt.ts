import type { Job } from '../../api/batch/job/schema.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { recallBackoff } from './backoff.ts';
import { isFinished } from './conditions.ts';
import { findEndState, remainingDeadlineMs } from './end-state.ts';
import { managePods } from './manage.ts';
import { viewJob } from './view.ts';

/**
 * What a Job does after failures: it `ends` without another Pod; it `waits` so many milliseconds before it
 * replaces a Pod (0: it does so now); or it `continues` with the Pods that it has.
 */
export type NextAttempt =
	| { readonly type: 'ends' }
	| { readonly type: 'waits'; readonly ms: number }
	| { readonly type: 'continues' };

/** The next attempt of a Job by what is known of it and its Pods at `now` (ms since the epoch). */
export function nextAttempt(job: Job, pods: readonly Pod[], now: number): NextAttempt {
	if (isFinished(job) || job.metadata.deletionTimestamp) return { type: 'ends' };
	const view = viewJob(job, pods, now, recallBackoff(job, pods));
	if (findEndState(view)) return { type: 'ends' };
	const { create, lookAgainMs } = managePods(view);
	if (create.length > 0) return { type: 'waits', ms: 0 };
	if (lookAgainMs === undefined) return { type: 'continues' };
	const deadlineMs = remainingDeadlineMs(job, now);
	return deadlineMs !== undefined && deadlineMs < lookAgainMs
		? { type: 'ends' }
		: { type: 'waits', ms: lookAgainMs };
}
