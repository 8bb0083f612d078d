import type { ResourceDefinition } from '../../meta/resource.ts';
import { cronJobColumns } from './columns.ts';
import { defaultCronJob } from './defaults.ts';
import { type CronJob, cronJobSchema } from './schema.ts';
import { cronJobDeletion, cronJobStatusStrategy, cronJobStrategy } from './strategy.ts';

/** batch/v1 CronJobs. */
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
