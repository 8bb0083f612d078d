import type { DeletionRule, Strategy, SubresourceStrategy } from '../../contract/resource-definition.ts';
import { disabledFieldWarnings, templateWithoutDisabledFields } from '../../core/pod/disabled-fields.ts';
import { SPEC } from '../../errors/field-path.ts';
import { withNextSpec } from '../../meta/generation.ts';
import { withField } from '../../schema/defaults.ts';
import { withInheritedLabels } from './defaults.ts';
import { withGeneratedSelector } from './labels.ts';
import type { Job, JobSpec } from './schema.ts';
import { validateJobStatusUpdate } from './status-validation.ts';
import { validateJobUpdate } from './update-validation.ts';
import { jobWarnings, validateJob } from './validation.ts';

const TEMPLATE_SPEC = SPEC.child('template', 'spec');

/**
 * What clients may set in a Job (upstream: jobStrategy in pkg/registry/batch/job). Status is cleared on create
 * and kept on update; an update that changes the spec increments the generation.
 */
export const jobStrategy: Strategy<Job> = {
	prepareForCreate: (job) => {
		const spec = withoutDisabledFields(job.spec);
		const fresh: Job = { ...job, metadata: { ...job.metadata, generation: 1 }, spec, status: {} };
		return withInheritedLabels(fresh.spec.manualSelector ? fresh : withGeneratedSelector(fresh));
	},
	prepareForUpdate: (job, old) =>
		withNextSpec(withInheritedLabels(job), old, withoutDisabledFields(job.spec, old.spec)),
	validateCreate: validateJob,
	validateUpdate: validateJobUpdate,
	warnings: jobWarnings,
	droppedFields: ({ spec }, old) =>
		disabledFieldWarnings(spec.template.spec, old?.spec.template.spec, TEMPLATE_SPEC),
	allowUnconditionalUpdate: true,
};

function withoutDisabledFields(spec: JobSpec, old?: JobSpec): JobSpec {
	return withField(spec, 'template', (template) => templateWithoutDisabledFields(template, old?.template));
}

/** What an update of the status subresource may change: the status and the metadata. */
export const jobStatusStrategy: SubresourceStrategy<Job> = {
	prepareForUpdate: (job, old) => ({ ...withInheritedLabels(job), spec: old.spec }),
	validateUpdate: validateJobStatusUpdate,
};

/**
 * For compatibility, a DELETE without a propagation policy orphans the Pods; the server then sends a warning.
 */
export const jobDeletion: DeletionRule<Job> = {
	defaultPropagation: 'Orphan',
	defaultPropagationWarning:
		'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
};
