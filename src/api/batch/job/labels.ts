/**
 * Finalizers, labels and annotations of a Job's Pods. They are upstream's, because clients select Pods by them.
 */

import type { Job } from './schema.ts';

/** The finalizer that keeps a Pod until the Job controller has counted it. */
export const TRACKING_FINALIZER = 'batch.kubernetes.io/job-tracking';

/** The label in generated selectors; its value is the Job's UID. */
export const CONTROLLER_UID_LABEL = 'batch.kubernetes.io/controller-uid';

/** The label with the name of the Job. */
export const JOB_NAME_LABEL = 'batch.kubernetes.io/job-name';

/** Annotation and label with the completion index of a Pod of an Indexed Job. */
export const COMPLETION_INDEX = 'batch.kubernetes.io/job-completion-index';

/** The environment variable with the completion index. */
export const COMPLETION_INDEX_ENV = 'JOB_COMPLETION_INDEX';

/** Annotation: the number of counted failures of the index before this Pod. */
export const INDEX_FAILURE_COUNT = 'batch.kubernetes.io/job-index-failure-count';

/** Annotation: the number of failures of the index before this Pod that the pod failure policy ignored. */
export const INDEX_IGNORED_FAILURE_COUNT = 'batch.kubernetes.io/job-index-ignored-failure-count';

// The names before the prefix was introduced, which upstream still sets.
const LEGACY_CONTROLLER_UID_LABEL = 'controller-uid';
const LEGACY_JOB_NAME_LABEL = 'job-name';

/**
 * The labels that a generated selector requires in the template of `job`, in the order in which validation
 * checks them.
 */
export function expectedLabels(job: Job): readonly (readonly [string, string])[] {
	const { name = '', uid = '' } = job.metadata;
	return [
		[LEGACY_CONTROLLER_UID_LABEL, uid],
		[LEGACY_JOB_NAME_LABEL, name],
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

/**
 * Whether the template of `job` has no generated labels yet and is to get them: the Job is new and does not select
 * its Pods itself.
 */
export function awaitsGeneratedLabels({ spec }: Job): boolean {
	if (spec.manualSelector) return false;
	const labels = spec.template.metadata?.labels ?? {};
	return labels[CONTROLLER_UID_LABEL] === undefined && labels[LEGACY_CONTROLLER_UID_LABEL] === undefined;
}
