import { disabledFieldWarnings, templateWithoutDisabledFields } from '../../core/pod/disabled-fields.ts';
import type { PodSpec } from '../../core/pod/schema.ts';
import { withField } from '../../meta/defaults.ts';
import { semanticEqual } from '../../meta/equality.ts';
import { FieldPath } from '../../meta/field.ts';
import { generationAfter } from '../../meta/generation.ts';
import type { DeletionRule, Strategy, SubresourceStrategy } from '../../meta/resource.ts';
import type { CronJob, CronJobSpec } from './schema.ts';
import { cronJobWarnings, validateCronJob, validateCronJobUpdate } from './validation.ts';

const POD_SPEC = new FieldPath('spec').child('jobTemplate', 'spec', 'template', 'spec');

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
	droppedFields: ({ spec }, old) =>
		disabledFieldWarnings(podSpecOf(spec), old && podSpecOf(old.spec), POD_SPEC),
	allowUnconditionalUpdate: true,
};

function podSpecOf({ jobTemplate }: CronJobSpec): PodSpec {
	return jobTemplate.spec.template.spec;
}

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
