import type { Job } from './schema.ts';

/**
 * The labels by which the generated selector finds the Pods of a Job. The two without a prefix are the legacy
 * names, which upstream still sets.
 */
export const CONTROLLER_UID_LABEL = 'batch.kubernetes.io/controller-uid';

/** See {@link CONTROLLER_UID_LABEL}. */
export const JOB_NAME_LABEL = 'batch.kubernetes.io/job-name';

const OLD_CONTROLLER_UID_LABEL = 'controller-uid';
const OLD_JOB_NAME_LABEL = 'job-name';

/**
 * The labels that a generated selector requires in the template of `job`, in the order in which validation
 * checks them.
 */
export function expectedLabels(job: Job): readonly (readonly [string, string])[] {
	const { name = '', uid = '' } = job.metadata;
	return [
		[OLD_CONTROLLER_UID_LABEL, uid],
		[OLD_JOB_NAME_LABEL, name],
		[CONTROLLER_UID_LABEL, uid],
		[JOB_NAME_LABEL, name],
	];
}

/**
 * `job` with the generated labels and selector (upstream: generateSelector); those that the client set take
 * precedence.
 */
export function withGeneratedSelector(job: Job): Job {
	const { template, selector } = job.spec;
	const labels = { ...Object.fromEntries(expectedLabels(job)), ...template.metadata?.labels };
	const matchLabels = { [CONTROLLER_UID_LABEL]: job.metadata.uid ?? '', ...selector?.matchLabels };
	return {
		...job,
		spec: {
			...job.spec,
			selector: { ...selector, matchLabels },
			template: { ...template, metadata: { ...template.metadata, labels } },
		},
	};
}
