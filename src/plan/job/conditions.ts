import type { Job, JobCondition } from '../../api/batch/job/schema.ts';
import { formatTime } from '../../api/meta/time.ts';

/** A condition without its times. */
export interface ConditionText {
	readonly type: JobCondition['type'];
	readonly status: 'True' | 'False';
	readonly reason: string;
	readonly message: string;
}

/** The condition of this type, if the list has one. */
export function findCondition(
	conditions: readonly JobCondition[] | undefined,
	type: JobCondition['type'],
): JobCondition | undefined {
	return conditions?.find((condition) => condition.type === type);
}

/** Whether the list has a condition of this type with the status True. */
export function isTrue(conditions: readonly JobCondition[] | undefined, type: JobCondition['type']): boolean {
	return findCondition(conditions, type)?.status === 'True';
}

/** Whether the Job is Complete or Failed. Its conditions never change after that. */
export function isFinished({ status }: Job): boolean {
	return isTrue(status.conditions, 'Complete') || isTrue(status.conditions, 'Failed');
}

/**
 * The list with this condition added or replaced, with both times set to `now` (ms since the epoch). Returns
 * the same list if the condition is unchanged, or if it would be added with the status False.
 */
export function withCondition(
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
