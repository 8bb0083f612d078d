import type { JobStatus } from '../../api/batch/job/schema.ts';

/**
 * The status with some fields replaced, serialized as upstream's Go types do it: counts of 0 are omitted except
 * `ready` and `terminating`, which are pointers there; `completedIndexes` is omitted if empty; `failedIndexes`
 * is kept even if empty, for Jobs with backoffLimitPerIndex.
 */
export function changeStatus(status: JobStatus, change: Partial<JobStatus>): JobStatus {
	const whole: JobStatus = { ...status, ...change };
	return {
		...(whole.conditions?.length && { conditions: whole.conditions }),
		...(whole.startTime && { startTime: whole.startTime }),
		...(whole.completionTime && { completionTime: whole.completionTime }),
		...(whole.active && { active: whole.active }),
		...(whole.succeeded && { succeeded: whole.succeeded }),
		...(whole.failed && { failed: whole.failed }),
		...(whole.terminating !== undefined && { terminating: whole.terminating }),
		...(whole.completedIndexes && { completedIndexes: whole.completedIndexes }),
		...(whole.failedIndexes !== undefined && { failedIndexes: whole.failedIndexes }),
		...(whole.uncountedTerminatedPods && { uncountedTerminatedPods: whole.uncountedTerminatedPods }),
		...(whole.ready !== undefined && { ready: whole.ready }),
	};
}

/** The value of `uncountedTerminatedPods`, without empty lists. */
export function uncountedOf(
	succeeded: readonly string[],
	failed: readonly string[],
): NonNullable<JobStatus['uncountedTerminatedPods']> {
	return { ...(succeeded.length > 0 && { succeeded }), ...(failed.length > 0 && { failed }) };
}

/**
 * Counts the uncounted Pods that no longer have the tracking finalizer: `holds` returns whether the Pod of a
 * UID has it. They move from the list to the count in one write, so that each Pod is in exactly one of them at
 * any time.
 */
export function settleStatus(status: JobStatus, holds: (uid: string) => boolean): JobStatus {
	const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
	const stillSucceeded = succeeded.filter(holds);
	const stillFailed = failed.filter(holds);
	if (stillSucceeded.length === succeeded.length && stillFailed.length === failed.length) return status;
	return changeStatus(status, {
		succeeded: (status.succeeded ?? 0) + succeeded.length - stillSucceeded.length,
		failed: (status.failed ?? 0) + failed.length - stillFailed.length,
		uncountedTerminatedPods: uncountedOf(stillSucceeded, stillFailed),
	});
}
