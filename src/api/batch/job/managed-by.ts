import type { Job } from './schema.ts';

/** The value of `spec.managedBy` that names our Job controller. It ignores Jobs with any other value. */
const JOB_CONTROLLER_NAME = 'kubernetes.io/job-controller';

/** Whether `spec.managedBy` assigns the Job to another controller. */
export function isManagedElsewhere({ spec }: Job): boolean {
	return spec.managedBy !== undefined && spec.managedBy !== JOB_CONTROLLER_NAME;
}
