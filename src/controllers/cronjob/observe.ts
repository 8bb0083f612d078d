import { cronjobs } from '../../api/batch/cronjob/definition.ts';
import type { CronJob } from '../../api/batch/cronjob/schema.ts';
import { jobs } from '../../api/batch/job/definition.ts';
import type { Job } from '../../api/batch/job/schema.ts';
import { controllerOf } from '../../api/meta/controller-reference.ts';
import type { Client } from '../../client/client.ts';
import type { Informer } from '../../client/informer.ts';
import { BY_OWNER } from '../../client/informers.ts';
import { unlessGone } from '../../client/outcomes.ts';
import type { CronJobSnapshot } from '../../plan/cronjob/snapshot.ts';
import { isActive } from '../../plan/cronjob/status.ts';
import { isFinished } from '../../plan/job/conditions.ts';

/** What {@link observeCronJob} reads. */
export interface Sources {
	readonly client: Client;
	readonly jobs: Informer<Job>;
	readonly now: number;
}

/**
 * Builds the snapshot that planCronJob decides from. The caches of CronJobs and Jobs may be at different
 * revisions. If they disagree about which Jobs are active, the CronJob or the Jobs are read from the API
 * server. Rejects with the error of such a read.
 */
export async function observeCronJob(cronJob: CronJob, sources: Sources): Promise<CronJobSnapshot> {
	const children = childrenOf(cronJob, sources.jobs);
	// A running Job that the status does not list: either the cached CronJob is stale, or a reconcile was
	// interrupted.
	const unknown = children.some((job) => !isFinished(job) && !isActive(cronJob.status, job.metadata.uid));
	const current = unknown ? await reread(cronJob, sources.client) : cronJob;
	return {
		cronJob: current,
		children,
		missing: await missingOf(current, children, sources),
		now: sources.now,
	};
}

/** The Jobs that a CronJob controls. */
export function childrenOf({ metadata }: CronJob, jobs: Informer<Job>): readonly Job[] {
	const { uid = '' } = metadata;
	return jobs.indexed(BY_OWNER, uid).filter((job) => controllerOf(job)?.uid === uid);
}

/** The CronJob as the API server has it; the given one if it was replaced by another of the same name. */
async function reread(cronJob: CronJob, client: Client): Promise<CronJob> {
	const { namespace, name = '', uid } = cronJob.metadata;
	const current = await client.resource(cronjobs, namespace).get(name);
	return current.metadata.uid === uid ? current : cronJob;
}

/** The UIDs of the active Jobs of the status that exist neither in the cache nor on the API server. */
async function missingOf(
	{ status }: CronJob,
	children: readonly Job[],
	{ client }: Sources,
): Promise<ReadonlySet<string>> {
	const known = new Set(children.map(({ metadata }) => metadata.uid));
	const missing = new Set<string>();
	for (const { namespace, name = '', uid = '' } of status.active ?? []) {
		// Only a Job missing in the cache is read: it may be newer than the cache, or deleted.
		if (known.has(uid)) continue;
		if (!(await unlessGone(client.resource(jobs, namespace).get(name)))) missing.add(uid);
	}
	return missing;
}
