import type { Deployment, DeploymentCondition, DeploymentStatus } from '../../api/apps/deployment/schema.ts';
import { findCondition } from '../../api/meta/conditions.ts';
import { formatTime } from '../../api/meta/time.ts';

/** The progressDeadlineSeconds and the revisionHistoryLimit that mean that there is no limit. */
const UNLIMITED = 2 ** 31 - 1;

/** What a condition says, without its times. */
export type DeploymentConditionText = Omit<DeploymentCondition, 'lastUpdateTime' | 'lastTransitionTime'>;

/** The condition Progressing with this status, reason and message. */
export function progressing(
	status: 'True' | 'False' | 'Unknown',
	reason: string,
	message: string,
): DeploymentConditionText {
	return { type: 'Progressing', status, reason, message };
}

/** The condition as of `now` (ms since the epoch). */
export function conditionAt(condition: DeploymentConditionText, now: number): DeploymentCondition {
	return { ...condition, lastUpdateTime: formatTime(now), lastTransitionTime: formatTime(now) };
}

/**
 * The status with this condition at the end of the list. The status itself if it has one of the same status and reason:
 * then the message and the times stay as they are (upstream: SetDeploymentCondition).
 */
export function withDeploymentCondition(
	status: DeploymentStatus,
	condition: DeploymentCondition,
): DeploymentStatus {
	const old = findCondition(status.conditions, condition.type);
	if (old && old.status === condition.status && old.reason === condition.reason) return status;
	const { lastTransitionTime = null } = old?.status === condition.status ? old : condition;
	const others = withoutCondition(status, condition.type).conditions ?? [];
	return { ...status, conditions: [...others, { ...condition, lastTransitionTime }] };
}

/** The status without the condition of this type; the status itself if it has none. */
export function withoutCondition(status: DeploymentStatus, type: string): DeploymentStatus {
	if (!findCondition(status.conditions, type)) return status;
	return { ...status, conditions: status.conditions?.filter((each) => each.type !== type) ?? [] };
}

/** Whether the Deployment reports a lack of progress after a time. */
export function hasProgressDeadline({ spec }: Deployment): boolean {
	return spec.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== UNLIMITED;
}

/** Number of old ReplicaSets to keep; undefined for all. */
export function historyLimitOf({ spec }: Deployment): number | undefined {
	return spec.revisionHistoryLimit === UNLIMITED ? undefined : spec.revisionHistoryLimit;
}
