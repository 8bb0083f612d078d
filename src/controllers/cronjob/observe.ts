import { cronjobs } from '../../api/batch/cronjob/definition.ts';
import type { CronJob } from '../../api/batch/cronjob/schema.ts';
import { jobs } from '../../api/batch/job/definition.ts';
import type { Job } from '../../api/batch/job/schema.ts';
import { isApiError } from '../../api/meta/api-error.ts';
import { controllerOf } from '../../api/meta/controller-reference.ts';
import type { Client } from '../../client/client.ts';
import type { Informer } from '../../client/informer.ts';
import { BY_OWNER } from '../../client/informers.ts';
import type { CronJobSnapshot } from '../../plan/cronjob/snapshot.ts';
import { isActive } from '../../plan/cronjob/status.ts';
import { isFinished } from '../../plan/job/conditions.ts';

/** Where {@link observeCronJob} looks. */
export interface Sight {
	readonly client: Client;
	readonly jobs: Informer<Job>;
	readonly now: number;
}

/**
 * Gathers what planCronJob decides from. The informers of CronJobs and Jobs may be of different times, so
 * where they disagree about which Jobs run, the server is asked. Rejects with the error of such a question.
 */
export async function observeCronJob(cronJob: CronJob, sight: Sight): Promise<CronJobSnapshot> {
	const children = childrenOf(cronJob, sight.jobs);
	const unknown = children.some((job) => !isFinished(job) && !isActive(cronJob.status, job.metadata.uid));
	const current = unknown ? await reread(cronJob, sight.client) : cronJob;
	return { cronJob: current, children, missing: await missingOf(current, children, sight), now: sight.now };
}

/** The Jobs that a CronJob controls. */
export function childrenOf({ metadata }: CronJob, jobs: Informer<Job>): readonly Job[] {
	const { uid = '' } = metadata;
	return jobs.indexed(BY_OWNER, uid).filter((job) => controllerOf(job)?.uid === uid);
}

async function reread(cronJob: CronJob, client: Client): Promise<CronJob> {
	const { namespace, name = '', uid } = cronJob.metadata;
	const current = await client.resource(cronjobs, namespace).get(name);
	return current.metadata.uid === uid ? current : cronJob;
}

async function missingOf(
	{ status }: CronJob,
	children: readonly Job[],
	{ client }: Sight,
): Promise<ReadonlySet<string>> {
	const known = new Set(children.map(({ metadata }) => metadata.uid));
	const missing = new Set<string>();
	for (const { namespace, name = '', uid = '' } of status.active ?? []) {
		if (known.has(uid)) continue;
		try {
			await client.resource(jobs, namespace).get(name);
		} catch (error) {
			if (!isApiError(error, 'NotFound')) throw error;
			missing.add(uid);
		}
	}
	return missing;
}
