/** The status of a Deployment (upstream: calculateStatus in sync.go and progress.go of pkg/controller/deployment). */

import type { Deployment, DeploymentCondition, DeploymentStatus } from '../../api/apps/deployment/schema.ts';
import type { ReplicaSet, ReplicaSetCondition } from '../../api/apps/replicaset/schema.ts';
import { findCondition } from '../../api/meta/conditions.ts';
import { timeOf } from '../../api/meta/time.ts';
import {
	conditionAt,
	hasProgressDeadline,
	progressing,
	withDeploymentCondition,
	withoutCondition,
} from './conditions.ts';
import { maxUnavailable, totalAvailable, totalSize } from './limits.ts';

/** What a status is computed from. */
export interface Rollout {
	/** The Deployment with the status that the pass has so far: with the conditions that it has set. */
	readonly deployment: Deployment;
	/** All of its ReplicaSets, that of the current template last, with the sizes that the pass has planned. */
	readonly sets: readonly ReplicaSet[];
	/** The one of the current template, if it exists. */
	readonly newSet: ReplicaSet | undefined;
	readonly now: number;
}

/** The counts and the condition Available (upstream: calculateStatus). */
export function countedStatus({ deployment, sets, newSet, now }: Rollout): DeploymentStatus {
	const { metadata, spec, status: old } = deployment;
	const available = totalAvailable(sets);
	const counts = {
		observedGeneration: metadata.generation ?? 0,
		replicas: sum(sets, ({ replicas }) => replicas),
		updatedReplicas: newSet?.status.replicas ?? 0,
		readyReplicas: sum(sets, ({ readyReplicas = 0 }) => readyReplicas),
		availableReplicas: available,
		unavailableReplicas: Math.max(totalSize(sets) - available, 0),
	};
	const terminating = terminatingIn(sets);
	const isEnough = available >= (spec.replicas ?? 0) - maxUnavailable(deployment);
	const condition = {
		type: 'Available',
		status: isEnough ? 'True' : 'False',
		reason: isEnough ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
		message: `Deployment ${isEnough ? 'has' : 'does not have'} minimum availability.`,
	};
	const status: DeploymentStatus = {
		...Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0)),
		...(terminating !== undefined && { terminatingReplicas: terminating }),
		...(old.conditions && { conditions: old.conditions }),
		...(old.collisionCount !== undefined && { collisionCount: old.collisionCount }),
	};
	return withDeploymentCondition(status, conditionAt(condition, now));
}

function sum(sets: readonly ReplicaSet[], countOf: (status: ReplicaSet['status']) => number): number {
	return sets.reduce((total, { status }) => total + countOf(status), 0);
}

/** Number of terminating Pods; undefined if a ReplicaSet was observed that does not tell. */
function terminatingIn(sets: readonly ReplicaSet[]): number | undefined {
	let total = 0;
	for (const { status } of sets) {
		if (status.terminatingReplicas === undefined && status.observedGeneration !== undefined) return undefined;
		total += status.terminatingReplicas ?? 0;
	}
	return total;
}

/**
 * The status during a rollout, with the conditions Progressing and ReplicaFailure (upstream: syncRolloutStatus). Progress is
 * not estimated once the rollout is complete.
 */
export function rolloutStatus(rollout: Rollout): DeploymentStatus {
	const { deployment, now } = rollout;
	let status = countedStatus(rollout);
	const current = findCondition(deployment.status.conditions, 'Progressing');
	const isDone =
		(status.replicas ?? 0) === (status.updatedReplicas ?? 0) && current?.reason === 'NewReplicaSetAvailable';
	if (!hasProgressDeadline(deployment)) status = withoutCondition(status, 'Progressing');
	else if (!isDone) status = withProgress(status, rollout);
	const failure = replicaFailure(rollout);
	if (!failure) return withoutCondition(status, 'ReplicaFailure');
	const { lastTransitionTime = null } = failure;
	return withDeploymentCondition(status, {
		...conditionAt(failure, now),
		lastTransitionTime,
		lastUpdateTime: lastTransitionTime,
	});
}

function withProgress(status: DeploymentStatus, { deployment, newSet, now }: Rollout): DeploymentStatus {
	const subject = newSet
		? `ReplicaSet "${newSet.metadata.name}"`
		: `Deployment "${deployment.metadata.name}"`;
	const set = (to: 'True' | 'False', reason: string, text: string): DeploymentCondition =>
		conditionAt(progressing(to, reason, `${subject} ${text}`), now);
	if (isComplete(deployment, status))
		return withDeploymentCondition(
			status,
			set('True', 'NewReplicaSetAvailable', 'has successfully progressed.'),
		);
	if (hasProgressed(deployment.status, status)) {
		const condition = set('True', 'ReplicaSetUpdated', 'is progressing.');
		const current = findCondition(deployment.status.conditions, 'Progressing');
		// Every sign of progress renews lastUpdateTime, from which the deadline counts, even if the reason stays.
		const { lastTransitionTime = null } = current?.status === 'True' ? current : condition;
		return withDeploymentCondition(withoutCondition(status, 'Progressing'), {
			...condition,
			lastTransitionTime,
		});
	}
	if (hasTimedOut(deployment, status, now))
		return withDeploymentCondition(
			status,
			set('False', 'ProgressDeadlineExceeded', 'has timed out progressing.'),
		);
	return status;
}

/** Whether all desired Pods have the current template and are available, and no other runs (upstream: DeploymentComplete). */
export function isComplete({ metadata, spec }: Deployment, status: DeploymentStatus): boolean {
	const { replicas = 0 } = spec;
	return (
		(status.updatedReplicas ?? 0) === replicas &&
		(status.replicas ?? 0) === replicas &&
		(status.availableReplicas ?? 0) === replicas &&
		(status.observedGeneration ?? 0) >= (metadata.generation ?? 0)
	);
}

function hasProgressed(old: DeploymentStatus, status: DeploymentStatus): boolean {
	const outdated = ({ replicas = 0, updatedReplicas = 0 }: DeploymentStatus): number =>
		replicas - updatedReplicas;
	return (
		(status.updatedReplicas ?? 0) > (old.updatedReplicas ?? 0) ||
		outdated(status) < outdated(old) ||
		(status.readyReplicas ?? 0) > (old.readyReplicas ?? 0) ||
		(status.availableReplicas ?? 0) > (old.availableReplicas ?? 0)
	);
}

function hasTimedOut(deployment: Deployment, status: DeploymentStatus, now: number): boolean {
	const condition = findCondition(status.conditions, 'Progressing');
	if (!condition || condition.reason === 'NewReplicaSetAvailable') return false;
	if (condition.reason === 'ProgressDeadlineExceeded') return true;
	const deadline = deadlineOf(deployment, condition);
	return deadline !== undefined && deadline < now;
}

/** When the Deployment lacks progress, in ms since the epoch. */
function deadlineOf({ spec }: Deployment, condition: DeploymentCondition): number | undefined {
	const since = timeOf(condition.lastUpdateTime);
	return since === undefined ? undefined : since + (spec.progressDeadlineSeconds ?? 0) * 1000;
}

/**
 * ms after which the Deployment must be looked at again to report a lack of progress; undefined if there is nothing to
 * expect (upstream: requeueStuckDeployment). A second more than the deadline, whose time is in whole seconds.
 */
export function progressCheckAfterMs(
	deployment: Deployment,
	status: DeploymentStatus,
	now: number,
): number | undefined {
	const condition = findCondition(status.conditions, 'Progressing');
	if (!hasProgressDeadline(deployment) || !condition) return undefined;
	if (isComplete(deployment, status) || condition.reason === 'ProgressDeadlineExceeded') return undefined;
	const deadline = deadlineOf(deployment, condition);
	return deadline === undefined ? undefined : Math.max(deadline - now, 0) + 1000;
}

/** The failure of a ReplicaSet to create or delete Pods; that of the current template comes first. */
function replicaFailure({ sets, newSet }: Rollout): ReplicaSetCondition | undefined {
	const ordered = newSet ? [newSet, ...sets] : sets;
	return ordered
		.map(({ status }) => findCondition(status.conditions, 'ReplicaFailure'))
		.find((condition) => condition !== undefined);
}
