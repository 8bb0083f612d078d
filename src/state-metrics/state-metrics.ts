import type { CronJob } from '../api/batch/cronjob/schema.ts';
import type { Job } from '../api/batch/job/schema.ts';
import type { Informer } from '../client/informer.ts';
import { CRON_JOB_FAMILIES } from './cronjob-families.ts';
import { JOB_FAMILIES } from './job-families.ts';
import { writeFamilies } from './state-family.ts';

/** What {@link writeStateMetrics} writes about. */
export interface StateMetricsSources {
	readonly jobs: Pick<Informer<Job>, 'inTurns'>;
	readonly cronJobs: Pick<Informer<CronJob>, 'inTurns'>;
}

/**
 * The metrics that kube-state-metrics shows of Jobs and CronJobs, by its names and labels, in pieces of
 * whole lines.
 */
export async function* writeStateMetrics({
	jobs,
	cronJobs,
}: StateMetricsSources): AsyncGenerator<string, void> {
	yield* writeFamilies({
		families: JOB_FAMILIES,
		objects: jobs.inTurns(),
		labels: ({ metadata }) => ({ namespace: metadata.namespace ?? '', job_name: metadata.name ?? '' }),
	});
	yield* writeFamilies({
		families: CRON_JOB_FAMILIES,
		objects: cronJobs.inTurns(),
		labels: ({ metadata }) => ({ namespace: metadata.namespace ?? '', cronjob: metadata.name ?? '' }),
	});
}
