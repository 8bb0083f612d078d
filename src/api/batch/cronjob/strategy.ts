import type { DeletionRule, Strategy, SubresourceStrategy } from '../../contract/resource-definition.ts';
import { disabledFieldWarnings, templateWithoutDisabledFields } from '../../core/pod/disabled-fields.ts';
import type { PodSpec } from '../../core/pod/schema.ts';
import { SPEC } from '../../errors/field-path.ts';
import { withNextSpec } from '../../meta/generation.ts';
import { withField } from '../../schema/defaults.ts';
import type { CronJob, CronJobSpec } from './schema.ts';
import { cronJobWarnings, validateCronJob, validateCronJobUpdate } from './validation.ts';

const POD_SPEC = SPEC.child('jobTemplate', 'spec', 'template', 'spec');

/**
 * What clients may set in a CronJob (upstream: cronJobStrategy in pkg/registry/batch/cronjob). Status is
 * cleared on create and kept on update; an update that changes the spec increments the generation.
 */
export const cronJobStrategy: Strategy<CronJob> = {
	prepareForCreate: (cronJob) => ({
		...cronJob,
		metadata: { ...cronJob.metadata, generation: 1 },
		spec: withoutDisabledFields(cronJob.spec),
		status: {},
	}),
	prepareForUpdate: (cronJob, old) =>
		withNextSpec(cronJob, old, withoutDisabledFields(cronJob.spec, old.spec)),
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

/**
 * What an update of the status subresource may change: everything but the spec. Upstream validates none of
 * it.
 */
export const cronJobStatusStrategy: SubresourceStrategy<CronJob> = {
	prepareForUpdate: (cronJob, old) => ({ ...cronJob, spec: old.spec }),
	validateUpdate: () => [],
};

/**
 * Deleting a CronJob deletes its Jobs in the background. A Job without a propagation policy orphans its Pods.
 */
export const cronJobDeletion: DeletionRule<CronJob> = { defaultPropagation: 'Background' };
