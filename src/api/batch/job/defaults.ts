import { defaultPodTemplate } from '../../core/pod/defaults.ts';
import { mapShared, withDefaults, withField } from '../../schema/defaults.ts';
import { awaitsGeneratedLabels } from './labels.ts';
import type { Job, JobSpec, PodFailurePolicy } from './schema.ts';

/** The backoffLimit of a Job with backoffLimitPerIndex: no limit, as only failures of one index count. */
const UNLIMITED = 2 ** 31 - 1;

/** Number of Pods that a Job runs at the same time if it does not say. */
export const DEFAULT_PARALLELISM = 1;

/** Number of failed Pods that a Job tolerates if it does not say. */
export const DEFAULT_BACKOFF_LIMIT = 6;

const ONE: Partial<JobSpec> = { completions: 1, parallelism: DEFAULT_PARALLELISM };
const SPEC: Partial<JobSpec> = {
	parallelism: DEFAULT_PARALLELISM,
	backoffLimit: DEFAULT_BACKOFF_LIMIT,
	completionMode: 'NonIndexed',
	suspend: false,
	podReplacementPolicy: 'TerminatingOrFailed',
	manualSelector: false,
};
const PER_INDEX: Partial<JobSpec> = { backoffLimit: UNLIMITED };
const WITH_FAILURE_POLICY: Partial<JobSpec> = { podReplacementPolicy: 'Failed' };

/**
 * Sets the defaults of a Job (upstream: SetDefaults_Job). Applied to every decoded and every read object, so
 * applying it twice must change nothing.
 */
export function defaultJob(job: Job): Job {
	const defaulted = withField(job, 'spec', (spec) => defaultTemplateOfJob(defaultJobSpec(spec)));
	return awaitsGeneratedLabels(job) ? defaulted : withInheritedLabels(defaulted);
}

/**
 * A Job without labels gets those of its template, the generated ones too. For upstream the latter are an
 * accident: defaulting makes both fields share one map, into which generateSelector then writes. So the labels
 * of a new Job are inherited after that: the defaults leave them to the strategy, which knows when.
 */
export function withInheritedLabels(job: Job): Job {
	const labels = job.spec.template.metadata?.labels;
	if (labels === undefined || Object.keys(job.metadata.labels ?? {}).length > 0) return job;
	return { ...job, metadata: { ...job.metadata, labels } };
}

/**
 * The defaults that also apply to the Job template of a CronJob: those of its Pods and of the failure policy.
 */
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

/** Sets the status of condition patterns that have none to True. */
function defaultPolicy(policy: PodFailurePolicy): PodFailurePolicy {
	return withField(policy, 'rules', (rules) =>
		mapShared(rules, (rule) =>
			withField(rule, 'onPodConditions', (patterns) =>
				mapShared(patterns, (pattern) => (pattern.status === '' ? { ...pattern, status: 'True' } : pattern)),
			),
		),
	);
}
