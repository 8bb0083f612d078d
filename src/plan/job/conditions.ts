import type { Job, JobCondition } from '../../api/batch/job/schema.ts';
import { formatTime } from '../../api/meta/time.ts';

/** What a condition says, without its times. */
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

/** Whether the condition of this type is there and true. */
export function isTrue(conditions: readonly JobCondition[] | undefined, type: JobCondition['type']): boolean {
	return findCondition(conditions, type)?.status === 'True';
}

/** Whether the Job has ended for good: nothing changes its conditions any more. */
export function isFinished({ status }: Job): boolean {
	return isTrue(status.conditions, 'Complete') || isTrue(status.conditions, 'Failed');
}

/**
 * The list with this condition in it, both its times `now`. The same list when it says so already, or
 * when a condition that was never there would be added as False.
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
	const fresh: JobCondition = {
		type,
		status,
		lastProbeTime: time,
		lastTransitionTime: time,
		reason,
		message,
	};
	return old ? before.map((condition) => (condition === old ? fresh : condition)) : [...before, fresh];
}
