import type { Job } from '../../api/batch/job/schema.ts';

/**
 * Finalizers, labels and annotations of a Job's Pods. They are upstream's, because clients select Pods by them.
 */

/** The finalizer that keeps a Pod until the Job controller has counted it. */
export const TRACKING_FINALIZER = 'batch.kubernetes.io/job-tracking';

/** Annotation and label with the completion index of a Pod of an Indexed Job. */
export const COMPLETION_INDEX = 'batch.kubernetes.io/job-completion-index';

/** Annotation: the number of counted failures of the index before this Pod. */
export const INDEX_FAILURE_COUNT = 'batch.kubernetes.io/job-index-failure-count';

/** Annotation: the number of failures of the index before this Pod that the pod failure policy ignored. */
export const INDEX_IGNORED_FAILURE_COUNT = 'batch.kubernetes.io/job-index-ignored-failure-count';

/** The environment variable with the completion index. */
export const COMPLETION_INDEX_ENV = 'JOB_COMPLETION_INDEX';

/** The label in generated selectors; its value is the Job's UID. */
export const CONTROLLER_UID_LABEL = 'batch.kubernetes.io/controller-uid';

/** The value of `spec.managedBy` that names this controller. It ignores Jobs with any other value. */
export const JOB_CONTROLLER_NAME = 'kubernetes.io/job-controller';

/** Whether `spec.managedBy` assigns the Job to another controller. */
export function isManagedElsewhere({ spec }: Job): boolean {
	return spec.managedBy !== undefined && spec.managedBy !== JOB_CONTROLLER_NAME;
}
