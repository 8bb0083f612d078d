import type { ResourceDefinition } from '../../meta/resource.ts';
import { jobColumns } from './columns.ts';
import { defaultJob } from './defaults.ts';
import { type Job, jobSchema } from './schema.ts';
import { jobDeletion, jobStatusStrategy, jobStrategy } from './strategy.ts';

/** batch/v1 Jobs. */
export const jobs: ResourceDefinition<Job> = {
	group: 'batch',
	version: 'v1',
	kind: 'Job',
	resource: 'jobs',
	singular: 'job',
	shortNames: [],
	categories: ['all'],
	namespaced: true,
	schema: jobSchema,
	defaults: defaultJob,
	strategy: jobStrategy,
	status: jobStatusStrategy,
	columns: jobColumns,
	selectableFields: ({ status }) => ({ 'status.successful': String(status.succeeded ?? 0) }),
	deletion: jobDeletion,
};
