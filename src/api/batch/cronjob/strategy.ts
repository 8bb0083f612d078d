import { templateWithoutDisabledFields } from '../../core/pod/disabled-fields.ts';
import { withField } from '../../meta/defaults.ts';
import { semanticEqual } from '../../meta/equality.ts';
import { generationAfter } from '../../meta/generation.ts';
import type { DeletionRule, Strategy, SubresourceStrategy } from '../../meta/resource.ts';
import type { CronJob, CronJobSpec } from './schema.ts';
import { cronJobWarnings, validateCronJob, validateCronJobUpdate } from './validation.ts';

/** What clients may set in a CronJob, after upstream's cronJobStrategy. */
export const cronJobStrategy: Strategy<CronJob> = {
	prepareForCreate: (cronJob) => ({
		...cronJob,
		metadata: { ...cronJob.metadata, generation: 1 },
		spec: withoutDisabledFields(cronJob.spec),
		status: {},
	}),
	prepareForUpdate: (cronJob, old) => {
		const spec = withoutDisabledFields(cronJob.spec, old.spec);
		const changed = spec !== old.spec && !semanticEqual(spec, old.spec);
		const generation = generationAfter(old.metadata, changed);
		return {
			...cronJob,
			metadata: { ...cronJob.metadata, generation },
			spec: changed ? spec : old.spec,
			status: old.status,
		};
	},
	validateCreate: validateCronJob,
	validateUpdate: validateCronJobUpdate,
	warnings: cronJobWarnings,
	allowUnconditionalUpdate: true,
};

function withoutDisabledFields(spec: CronJobSpec, old?: CronJobSpec): CronJobSpec {
	const oldTemplate = old?.jobTemplate.spec.template;
	return withField(spec, 'jobTemplate', (jobs) =>
		withField(jobs, 'spec', (job) =>
			withField(job, 'template', (template) => templateWithoutDisabledFields(template, oldTemplate)),
		),
	);
}

/** What the status subresource may change: all but the spec, unchecked. */
export const cronJobStatusStrategy: SubresourceStrategy<CronJob> = {
	prepareForUpdate: (cronJob, old) => ({ ...cronJob, spec: old.spec }),
	validateUpdate: () => [],
};

/** The Jobs go with their CronJob, unlike the Pods of a Job. */
export const cronJobDeletion: DeletionRule<CronJob> = { defaultPropagation: 'Background' };
