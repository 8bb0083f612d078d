import { semanticEqual } from '../../meta/equality.ts';
import { generationAfter } from '../../meta/generation.ts';
import type { DeletionRule, Strategy, SubresourceStrategy } from '../../meta/resource.ts';
import type { CronJob } from './schema.ts';
import { cronJobWarnings, validateCronJob, validateCronJobUpdate } from './validation.ts';

/** What clients may set in a CronJob, after upstream's cronJobStrategy. */
export const cronJobStrategy: Strategy<CronJob> = {
	prepareForCreate: (cronJob) => ({
		...cronJob,
		metadata: { ...cronJob.metadata, generation: 1 },
		status: {},
	}),
	prepareForUpdate: (cronJob, old) => {
		const changed = cronJob.spec !== old.spec && !semanticEqual(cronJob.spec, old.spec);
		const generation = generationAfter(old.metadata, changed);
		return {
			...cronJob,
			metadata: { ...cronJob.metadata, generation },
			spec: changed ? cronJob.spec : old.spec,
			status: old.status,
		};
	},
	validateCreate: validateCronJob,
	validateUpdate: validateCronJobUpdate,
	warnings: cronJobWarnings,
	allowUnconditionalUpdate: true,
};

/** What the status subresource may change: all but the spec, unchecked. */
export const cronJobStatusStrategy: SubresourceStrategy<CronJob> = {
	prepareForUpdate: (cronJob, old) => ({ ...cronJob, spec: old.spec }),
	validateUpdate: () => [],
};

/** The Jobs go with their CronJob, unlike the Pods of a Job. */
export const cronJobDeletion: DeletionRule<CronJob> = { defaultPropagation: 'Background' };
