/**
 * The metrics of kube-state-metrics for Jobs and CronJobs, with its names and labels, so that existing
 * dashboards and alerts work. Metrics of the program itself are not here: each component registers its own in
 * `Metrics`.
 *
 * Read this file first, then state-family.ts (the format and how samples are collected), then job-families.ts
 * and cronjob-families.ts (one entry for each metric).
 *
 * 1. Objects come only from informers: a scrape sends no request to the API server.
 * 2. A field that an object lacks has no sample, as upstream does; it is not reported as 0.
 */

import type { CronJob } from '../api/batch/cronjob/schema.ts';
import type { Job } from '../api/batch/job/schema.ts';
import type { Informer } from '../client/informer.ts';
import { CRON_JOB_FAMILIES } from './cronjob-families.ts';
import { JOB_FAMILIES } from './job-families.ts';
import { writeFamilies } from './state-family.ts';

/** The informers that {@link writeStateMetrics} reads. */
export interface StateMetricsSources {
	readonly jobs: Pick<Informer<Job>, 'inTurns'>;
	readonly cronJobs: Pick<Informer<CronJob>, 'inTurns'>;
}

/**
 * Yields the metrics of all Jobs and CronJobs in the Prometheus text format, in chunks of whole lines. The
 * informers yield to the event loop between groups of objects, so that a scrape of a large cluster does not
 * block requests.
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
