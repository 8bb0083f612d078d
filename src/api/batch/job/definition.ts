import type { ResourceDefinition } from '../../contract/resource-definition.ts';
import { jobColumns } from './columns.ts';
import { defaultJob } from './defaults.ts';
import { type Job, jobSchema } from './schema.ts';
import { jobDeletion, jobStatusStrategy, jobStrategy } from './strategy.ts';

/**
 * batch/v1 Jobs.
 *
 * This folder is the API of a Job: what clients may send and how the server completes, checks and prints it.
 * What a Job does is elsewhere (plan/job decides, controllers/job applies). Reading order: schema.ts,
 * defaults.ts, labels.ts, strategy.ts, validation.ts with spec-validation.ts and policy-validation.ts,
 * update-validation.ts, status-validation.ts, columns.ts.
 *
 * 1. All functions here are pure: they read no clock and never change their arguments.
 * 2. Errors, their texts and their order are upstream's (pkg/apis/batch/validation), since clients print them
 *    and tests of other projects compare them.
 */
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
