import { defaultPodTemplate } from '../../core/pod/defaults.ts';
import { mapShared, withDefaults, withField } from '../../meta/defaults.ts';
import type { Job, JobSpec, PodFailurePolicy } from './schema.ts';

/** The backoffLimit of a Job that limits failures per index instead. */
const UNLIMITED = 2 ** 31 - 1;

const ONE: Partial<JobSpec> = { completions: 1, parallelism: 1 };
const SPEC: Partial<JobSpec> = {
	parallelism: 1,
	backoffLimit: 6,
	completionMode: 'NonIndexed',
	suspend: false,
	podReplacementPolicy: 'TerminatingOrFailed',
	manualSelector: false,
};
const PER_INDEX: Partial<JobSpec> = { backoffLimit: UNLIMITED };
const WITH_FAILURE_POLICY: Partial<JobSpec> = { podReplacementPolicy: 'Failed' };

/** Fills what a Job leaves open, after upstream's SetDefaults_Job; applied on decode and on read. */
export function defaultJob(job: Job): Job {
	const defaulted = withField(job, 'spec', (spec) => defaultTemplateOfJob(defaultJobSpec(spec)));
	const labels = job.spec.template.metadata?.labels;
	if (labels === undefined || Object.keys(job.metadata.labels ?? {}).length > 0) return defaulted;
	// The very map of the template: the strategy tells by it that the labels are inherited.
	return { ...defaulted, metadata: { ...job.metadata, labels } };
}

/** The defaults that hold for the template of a CronJob as well: those of its Pods and of failure policies. */
export function defaultTemplateOfJob(spec: JobSpec): JobSpec {
	return withField(withField(spec, 'template', defaultPodTemplate), 'podFailurePolicy', defaultPolicy);
}

function defaultJobSpec(given: JobSpec): JobSpec {
	let spec = given;
	if (spec.completions === undefined && spec.parallelism === undefined) spec = withDefaults(spec, ONE);
	if (spec.backoffLimitPerIndex !== undefined) spec = withDefaults(spec, PER_INDEX);
	if (spec.podFailurePolicy) spec = withDefaults(spec, WITH_FAILURE_POLICY);
	return withDefaults(spec, SPEC);
}

/** A condition pattern without a status means True. */
function defaultPolicy(policy: PodFailurePolicy): PodFailurePolicy {
	return withField(policy, 'rules', (rules) =>
		mapShared(rules, (rule) =>
			withField(rule, 'onPodConditions', (patterns) =>
				mapShared(patterns, (pattern) => (pattern.status === '' ? { ...pattern, status: 'True' } : pattern)),
			),
		),
	);
}
