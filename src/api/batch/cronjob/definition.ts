import type { ResourceDefinition } from '../../contract/resource-definition.ts';
import { cronJobColumns } from './columns.ts';
import { defaultCronJob } from './defaults.ts';
import { type CronJob, cronJobSchema } from './schema.ts';
import { cronJobDeletion, cronJobStatusStrategy, cronJobStrategy } from './strategy.ts';

/**
 * batch/v1 CronJobs.
 *
 * This folder is the API of a CronJob, and the language of its schedules, which plan/cronjob uses too.
 * Reading order: schema.ts, defaults.ts, strategy.ts, validation.ts; then cron-expression.ts with
 * time-zone.ts and go-duration.ts. Rules of a Job template are those of ../job.
 *
 * 1. All functions here are pure, apart from caches, and read no clock: the caller passes the time.
 * 2. Error texts and their order are upstream's, those of schedules the ones of robfig/cron.
 */
export const cronjobs: ResourceDefinition<CronJob> = {
	group: 'batch',
	version: 'v1',
	kind: 'CronJob',
	resource: 'cronjobs',
	singular: 'cronjob',
	shortNames: ['cj'],
	categories: ['all'],
	namespaced: true,
	schema: cronJobSchema,
	defaults: defaultCronJob,
	strategy: cronJobStrategy,
	status: cronJobStatusStrategy,
	columns: cronJobColumns,
	selectableFields: () => ({}),
	deletion: cronJobDeletion,
};
