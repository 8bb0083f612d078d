import type { Job } from '../../api/batch/job/schema.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import type { Informer } from '../../client/informer.ts';
import { BY_OWNER } from '../../client/informers.ts';
import { type BackoffHistory, recallBackoff } from '../../plan/job/backoff.ts';
import type { JobSnapshot } from '../../plan/job/snapshot.ts';
import { BY_JOB, ORPHANS } from './job-indexes.ts';

/** Gathers what planJob decides from; `remembered` is the last plan's word on backoff, where there is one. */
export function observeJob(
	job: Job,
	pods: Informer<Pod>,
	remembered: BackoffHistory | undefined,
	now: number,
): JobSnapshot {
	const { uid = '', namespace = '' } = job.metadata;
	// A generated selector names the UID, so that only Pods with that label can be adopted by it.
	const orphans = pods.indexed(ORPHANS, job.spec.manualSelector ? namespace : `${namespace}/${uid}`);
	const backoff = remembered ?? recallBackoff(job, pods.indexed(BY_OWNER, uid));
	return { job, pods: pods.indexed(BY_JOB, uid), orphans, now, backoff };
}
