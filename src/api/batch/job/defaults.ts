import { defaultPodTemplate } from '../../core/pod/defaults.ts';
import type { Job, JobSpec, PodFailurePolicy } from './schema.ts';

/** The backoffLimit of a Job that limits failures per index instead. */
const UNLIMITED = 2 ** 31 - 1;

/** Fills what a Job leaves open, after upstream's SetDefaults_Job; applied on decode and on read. */
export function defaultJob(job: Job): Job {
	const spec = defaultJobSpec(job.spec);
	const labels = job.spec.template.metadata?.labels;
	const inherits = labels !== undefined && Object.keys(job.metadata.labels ?? {}).length === 0;
	if (spec === job.spec && !inherits) return job;
	return { ...job, spec, ...(inherits && { metadata: { ...job.metadata, labels } }) };
}

function defaultJobSpec(given: JobSpec): JobSpec {
	const template = defaultPodTemplate(given.template);
	const policy = given.podFailurePolicy && defaultPolicy(given.podFailurePolicy);
	const { completions, parallelism } = given;
	const defaults: Partial<JobSpec> = {
		parallelism: 1,
		backoffLimit: given.backoffLimitPerIndex === undefined ? 6 : UNLIMITED,
		completionMode: 'NonIndexed',
		suspend: false,
		podReplacementPolicy: given.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed',
		manualSelector: false,
		...(completions === undefined && parallelism === undefined && { completions: 1 }),
	};
	const complete = Object.keys(defaults).every((key) => given[key as keyof JobSpec] !== undefined);
	if (complete && template === given.template && policy === given.podFailurePolicy) return given;
	return { ...defaults, ...given, template, ...(policy && { podFailurePolicy: policy }) };
}

/** A condition pattern without a status means True. */
function defaultPolicy(policy: PodFailurePolicy): PodFailurePolicy {
	if (!policy.rules.some((rule) => rule.onPodConditions?.some(({ status }) => status === ''))) return policy;
	const rules = policy.rules.map((rule) =>
		rule.onPodConditions
			? {
					...rule,
					onPodConditions: rule.onPodConditions.map((each) => ({ ...each, status: each.status || 'True' })),
				}
			: rule,
	);
	return { ...policy, rules };
}
