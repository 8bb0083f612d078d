import type { Job } from '../../api/batch/job/schema.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { recallBackoff } from './backoff.ts';
import { isFinished } from './conditions.ts';
import { findEndState, remainingDeadlineMs } from './end-state.ts';
import { managePods } from './manage.ts';
import { viewJob } from './pods/view.ts';

/**
 * What follows for a Job after a failure. `ends`: it creates no more Pods. `waits`: it replaces a Pod after
 * this many milliseconds of backoff (0: now). `continues`: it needs no other Pods than those it has.
 */
export type NextAttempt =
	| { readonly type: 'ends' }
	| { readonly type: 'waits'; readonly ms: number }
	| { readonly type: 'continues' };

/**
 * Predicts the next attempt of a Job from its Pods at `now` (ms since the epoch), for clients that explain a
 * failure.
 */
export function nextAttempt(job: Job, pods: readonly Pod[], now: number): NextAttempt {
	if (isFinished(job) || job.metadata.deletionTimestamp) return { type: 'ends' };
	const view = viewJob({ job, now, backoff: recallBackoff(job, pods) }, pods);
	if (findEndState(view)) return { type: 'ends' };
	const { create, lookAgainMs } = managePods(view);
	if (create.length > 0) return { type: 'waits', ms: 0 };
	if (lookAgainMs === undefined) return { type: 'continues' };
	const deadlineMs = remainingDeadlineMs(job, now);
	return deadlineMs !== undefined && deadlineMs < lookAgainMs
		? { type: 'ends' }
		: { type: 'waits', ms: lookAgainMs };
}
