import type { Job } from '../../api/batch/job/schema.ts';

/** The names that a Job's Pods and status carry; tools select and count by them. */

/** The finalizer that holds a Pod until the Job has counted it. */
export const TRACKING_FINALIZER = 'batch.kubernetes.io/job-tracking';

/** Annotation and label with the completion index of a Pod of an Indexed Job. */
export const COMPLETION_INDEX = 'batch.kubernetes.io/job-completion-index';

/** Annotation: how many counted failures the index had before this Pod. */
export const INDEX_FAILURE_COUNT = 'batch.kubernetes.io/job-index-failure-count';

/** Annotation: how many failures of the index were ignored by the policy before this Pod. */
export const INDEX_IGNORED_FAILURE_COUNT = 'batch.kubernetes.io/job-index-ignored-failure-count';

/** The environment variable with the completion index. */
export const COMPLETION_INDEX_ENV = 'JOB_COMPLETION_INDEX';

/** The label by which the Pods of a Job with a generated selector are found. */
export const CONTROLLER_UID_LABEL = 'batch.kubernetes.io/controller-uid';

/** The value of `spec.managedBy` that names this controller; any other hands the Job to someone else. */
export const JOB_CONTROLLER_NAME = 'kubernetes.io/job-controller';

/** Whether the Job was handed to a controller other than this one. */
export function isManagedElsewhere({ spec }: Job): boolean {
	return spec.managedBy !== undefined && spec.managedBy !== JOB_CONTROLLER_NAME;
}
