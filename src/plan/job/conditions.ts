import type { Job, JobCondition } from '../../api/batch/job/schema.ts';
import { findCondition } from '../../api/meta/conditions.ts';
import { formatTime } from '../../api/meta/time.ts';

/** A condition without its times. */
export interface ConditionText {
	readonly type: JobCondition['type'];
	readonly status: 'True' | 'False';
	readonly reason: string;
	readonly message: string;
}

/** Whether the Job is Complete or Failed. Its conditions never change after that. */
export function isFinished(job: Job): boolean {
	return terminalCondition(job) !== undefined;
}

/** The condition Complete or Failed of a finished Job; undefined if the Job has not finished. */
export function terminalCondition({ status }: Job): JobCondition | undefined {
	return status.conditions?.find(
		({ type, status: value }) => (type === 'Complete' || type === 'Failed') && value === 'True',
	);
}

/**
 * The list with this condition added or replaced, with both times set to `now` (ms since the epoch), even if
 * only its text changes (upstream: ensureJobConditionStatus in job_controller.go). Returns the same list if the
 * condition is unchanged, or if it would be added with the status False.
 */
export function withJobCondition(
	conditions: readonly JobCondition[] | undefined,
	text: ConditionText,
	now: number,
): readonly JobCondition[] {
	const before = conditions ?? [];
	const { type, status, reason, message } = text;
	const old = findCondition(before, type);
	if (!old && status === 'False') return before;
	if (old && old.status === status && old.reason === reason && old.message === message) return before;
	const time = formatTime(now);
	const changed: JobCondition = {
		type,
		status,
		lastProbeTime: time,
		lastTransitionTime: time,
		reason,
		message,
	};
	return old ? before.map((condition) => (condition === old ? changed : condition)) : [...before, changed];
}
