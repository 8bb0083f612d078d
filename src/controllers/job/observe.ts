import type { Job } from '../../api/batch/job/schema.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import type { Informer } from '../../client/informer.ts';
import { BY_OWNER } from '../../client/informers.ts';
import { type BackoffHistory, recallBackoff } from '../../plan/job/backoff.ts';
import type { JobSnapshot } from '../../plan/job/snapshot.ts';
import { BY_JOB, ORPHANS } from './job-indexes.ts';

/**
 * Builds the snapshot that planJob decides from. `remembered` is the backoff history of the last plan;
 * undefined for a Job that this process has not planned yet, whose history is rebuilt from all its Pods,
 * including counted ones.
 */
export function observeJob(
	job: Job,
	pods: Informer<Pod>,
	{ remembered, now }: { readonly remembered: BackoffHistory | undefined; readonly now: number },
): JobSnapshot {
	const { uid = '', namespace = '' } = job.metadata;
	// A generated selector requires the label with the Job's UID, so only Pods with that label can match it.
	const orphans = pods.indexed(ORPHANS, job.spec.manualSelector ? namespace : `${namespace}/${uid}`);
	const backoff = remembered ?? recallBackoff(job, pods.indexed(BY_OWNER, uid));
	return { job, pods: pods.indexed(BY_JOB, uid), orphans, now, backoff };
}
