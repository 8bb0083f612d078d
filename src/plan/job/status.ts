import type { JobStatus } from '../../api/batch/job/schema.ts';

/**
 * The status with some parts replaced, spelled as the API spells it: counts of 0 are left out, except
 * `ready` and `terminating`, which are always there; `completedIndexes` is left out when empty, while
 * `failedIndexes` is there, even empty, for Jobs that have a limit per index.
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

/** The uncounted lists, empty ones left out. */
export function uncountedOf(
	succeeded: readonly string[],
	failed: readonly string[],
): NonNullable<JobStatus['uncountedTerminatedPods']> {
	return { ...(succeeded.length > 0 && { succeeded }), ...(failed.length > 0 && { failed }) };
}

/**
 * Counts those uncounted Pods that no longer hold the tracking finalizer: they leave the list and enter
 * the count in the same write, so a Pod is in exactly one of them at any time.
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
