import type { DeletionRule, Strategy, SubresourceStrategy } from '../../contract/resource-definition.ts';
import { disabledTemplateWarnings, specWithoutDisabledFields } from '../../core/pod/disabled-fields.ts';
import { withNextSpec } from '../../meta/generation.ts';
import { withInheritedLabels } from './defaults.ts';
import { withGeneratedSelector } from './labels.ts';
import type { Job } from './schema.ts';
import { validateJobStatusUpdate } from './status-validation.ts';
import { validateJobUpdate } from './update-validation.ts';
import { jobWarnings, validateJob } from './validation.ts';

/**
 * What clients may set in a Job (upstream: jobStrategy in pkg/registry/batch/job). Status is cleared on create
 * and kept on update; an update that changes the spec increments the generation.
 */
export const jobStrategy: Strategy<Job> = {
	prepareForCreate: (job) => {
		const spec = specWithoutDisabledFields(job.spec);
		const fresh: Job = { ...job, metadata: { ...job.metadata, generation: 1 }, spec, status: {} };
		return withInheritedLabels(fresh.spec.manualSelector ? fresh : withGeneratedSelector(fresh));
	},
	prepareForUpdate: (job, old) =>
		withNextSpec(withInheritedLabels(job), old, specWithoutDisabledFields(job.spec, old.spec)),
	validateCreate: validateJob,
	validateUpdate: validateJobUpdate,
	warnings: jobWarnings,
	droppedFields: ({ spec }, old) => disabledTemplateWarnings(spec, old?.spec),
	allowUnconditionalUpdate: true,
};

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
