/**
 * What a Deployment needs now (upstream: syncDeployment in pkg/controller/deployment). controllers/deployment gathers the
 * snapshot and applies the plan.
 *
 * Reading order: plan.ts, limits.ts, replica-sets.ts with template-hash.ts and annotations.ts, rollout-draft.ts, this file,
 * rolling-update.ts, recreate.ts, scaling.ts, rollout-status.ts with conditions.ts.
 *
 * 1. A Deployment that is being deleted only keeps its status up to date.
 * 2. A paused Deployment creates no ReplicaSet, but can be scaled.
 * 3. Upstream writes after each step and is called again for its own writes; here the steps of one pass are summed up. The
 *    states between passes, the Events and the limits are the same.
 */

import type { Deployment } from '../../api/apps/deployment/schema.ts';
import { findCondition } from '../../api/meta/conditions.ts';
import { matches, selectorOf } from '../../api/meta/selector.ts';
import { semanticEqual } from '../../api/schema/equality.ts';
import { REVISION } from './annotations.ts';
import { conditionAt, hasProgressDeadline, progressing, withDeploymentCondition } from './conditions.ts';
import { isRollingUpdate } from './limits.ts';
import type { DeploymentPlan, DeploymentSnapshot, SetAct } from './plan.ts';
import { recreate } from './recreate.ts';
import { rollOut } from './rolling-update.ts';
import { RolloutDraft } from './rollout-draft.ts';
import { countedStatus, progressCheckAfterMs, rolloutStatus } from './rollout-status.ts';
import { isScalingEvent, scaleSets } from './scaling.ts';

/** See the header of this file. */
export function planDeployment(snapshot: DeploymentSnapshot): DeploymentPlan {
	const { deployment: stored, sets, now } = snapshot;
	const claim = claimSets(snapshot);
	if (claim.adopt.length + claim.release.length > 0) return { ...claim, update: [], delete: [] };
	const selector = selectorOf(stored.spec.selector);
	const owned = sets.filter(({ metadata }) => matches(selector, metadata.labels));
	const draft = new RolloutDraft(stored, owned, now);
	const isRollout = advance(draft, snapshot);
	const status = isRollout ? rolloutStatus(draft.rollout) : countedStatus(draft.rollout);
	const deployment: Deployment = { ...draft.deployment, status };
	const isSame =
		semanticEqual(status, stored.status) &&
		deployment.metadata.annotations?.[REVISION] === stored.metadata.annotations?.[REVISION];
	const recheckAfterMs = isRollout ? progressCheckAfterMs(deployment, status, now) : undefined;
	return {
		...claim,
		...draft.writes(),
		...(!isSame && { deployment }),
		...(recheckAfterMs !== undefined && { recheckAfterMs }),
	};
}

/** Makes the steps of one pass. Returns whether they were those of a rollout, whose progress is estimated. */
function advance(draft: RolloutDraft, { pods }: DeploymentSnapshot): boolean {
	const { metadata, spec } = draft.deployment;
	if (metadata.deletionTimestamp !== undefined) {
		draft.syncRevision();
		return false;
	}
	notePause(draft);
	draft.syncRevision();
	if (spec.paused || isScalingEvent(draft)) {
		scaleSets(draft);
		if (spec.paused) draft.cleanUp();
		return false;
	}
	if (isRollingUpdate(draft.deployment)) rollOut(draft);
	else recreate(draft, pods);
	return true;
}

/**
 * Notes in the condition Progressing that the Deployment was paused or resumed, so that the pause does not count as a lack of
 * progress. A reported lack of progress stays (upstream: checkPausedConditions).
 */
function notePause(draft: RolloutDraft): void {
	const { spec, status } = draft.deployment;
	const reason = findCondition(status.conditions, 'Progressing')?.reason;
	if (!hasProgressDeadline(draft.deployment) || reason === 'ProgressDeadlineExceeded') return;
	if (spec.paused && reason !== 'DeploymentPaused')
		draft.setCondition(progressing('Unknown', 'DeploymentPaused', 'Deployment is paused'));
	if (!spec.paused && reason === 'DeploymentPaused')
		draft.setCondition(progressing('Unknown', 'DeploymentResumed', 'Deployment is resumed'));
}

/** Applies the selector to ReplicaSets (upstream: ClaimReplicaSets). A Deployment under deletion claims none. */
function claimSets({ deployment, sets, orphans }: DeploymentSnapshot): {
	readonly adopt: readonly SetAct[];
	readonly release: readonly SetAct[];
} {
	if (deployment.metadata.deletionTimestamp !== undefined) return { adopt: [], release: [] };
	const selector = selectorOf(deployment.spec.selector);
	const release = sets
		.filter(({ metadata }) => !matches(selector, metadata.labels))
		.map((set) => ({ set, because: "the Deployment's selector does not match it" }));
	const adopt = orphans
		.filter(({ metadata }) => metadata.deletionTimestamp === undefined && matches(selector, metadata.labels))
		.map((set) => ({ set, because: "it has no controller and the Deployment's selector matches it" }));
	return { adopt, release };
}

/** A ReplicaSet that could not be created, and the error. */
export interface FailedCreation {
	/** The name of the ReplicaSet. */
	readonly name: string;
	readonly message: string;
	readonly now: number;
}

/** The Event and the reason of the condition for a ReplicaSet that could not be created. */
export const SET_CREATE_ERROR = 'ReplicaSetCreateError';

/** The text of the Event and of the condition for a ReplicaSet that could not be created. */
export function failedCreationText({ name, message }: FailedCreation): string {
	return `Failed to create new replica set "${name}": ${message}`;
}

/** The Deployment after its ReplicaSet could not be created; itself if it does not report progress. */
export function afterFailedCreation(deployment: Deployment, failed: FailedCreation): Deployment {
	if (!hasProgressDeadline(deployment)) return deployment;
	const condition = progressing('False', SET_CREATE_ERROR, failedCreationText(failed));
	const status = withDeploymentCondition(deployment.status, conditionAt(condition, failed.now));
	return { ...deployment, status };
}
