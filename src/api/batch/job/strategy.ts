import { disabledFieldWarnings, templateWithoutDisabledFields } from '../../core/pod/disabled-fields.ts';
import { withField } from '../../meta/defaults.ts';
import { semanticEqual } from '../../meta/equality.ts';
import { FieldPath } from '../../meta/field.ts';
import { generationAfter } from '../../meta/generation.ts';
import type { DeletionRule, Strategy, SubresourceStrategy } from '../../meta/resource.ts';
import { withGeneratedSelector } from './labels.ts';
import type { Job, JobSpec } from './schema.ts';
import { validateJobStatusUpdate } from './status-validation.ts';
import { validateJobUpdate } from './update-validation.ts';
import { jobWarnings, validateJob } from './validation.ts';

const TEMPLATE_SPEC = new FieldPath('spec').child('template', 'spec');

/** What clients may set in a Job, after upstream's jobStrategy. */
export const jobStrategy: Strategy<Job> = {
	prepareForCreate: (job) => {
		const spec = withoutDisabledFields(job.spec);
		const fresh: Job = { ...job, metadata: { ...job.metadata, generation: 1 }, spec, status: {} };
		return fresh.spec.manualSelector ? fresh : withInheritedLabels(withGeneratedSelector(fresh), job);
	},
	prepareForUpdate: (job, old) => {
		const spec = withoutDisabledFields(job.spec, old.spec);
		const changed = spec !== old.spec && !semanticEqual(spec, old.spec);
		const generation = generationAfter(old.metadata, changed);
		return {
			...job,
			metadata: { ...job.metadata, generation },
			spec: changed ? spec : old.spec,
			status: old.status,
		};
	},
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

/**
 * A Job that has its labels from its template has the generated ones as well, as upstream, where the two
 * then are one map.
 */
function withInheritedLabels(job: Job, given: Job): Job {
	const { labels } = given.metadata;
	const generated = job.spec.template.metadata?.labels;
	if (labels === undefined || labels !== given.spec.template.metadata?.labels || !generated) return job;
	return { ...job, metadata: { ...job.metadata, labels: generated } };
}

/** What the status subresource may change: the status, and metadata with it. */
export const jobStatusStrategy: SubresourceStrategy<Job> = {
	prepareForUpdate: (job, old) => ({ ...job, spec: old.spec }),
	validateUpdate: validateJobStatusUpdate,
};

/** A raw DELETE that does not say keeps the Pods, for history's sake, and warns of it. */
export const jobDeletion: DeletionRule<Job> = {
	defaultPropagation: 'Orphan',
	defaultPropagationWarning:
		'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
};
