/**
 * Replaces the Pods of older templates step by step (upstream: pkg/controller/deployment/rolling.go).
 *
 * 1. At most maxSurge Pods above the desired number are wanted at any time.
 * 2. Old Pods are only given up while at least the desired number minus maxUnavailable stay available: a Pod of the new
 *    template that is not available yet counts as missing.
 */

import type { ReplicaSet } from '../../api/apps/replicaset/schema.ts';
import { maxUnavailable, newSetSize, setSize, totalSize } from './limits.ts';
import { byCreation, isActiveSet, isObserved } from './replica-sets.ts';
import type { RolloutDraft } from './rollout-draft.ts';
import { isComplete } from './rollout-status.ts';

/** One step of the update: sizes the new ReplicaSet up, or else the old ones down, or else cleans up. */
export function rollOut(draft: RolloutDraft): void {
	const newSet = draft.create();
	const { deployment } = draft;
	const { replicas = 0 } = deployment.spec;
	const size = setSize(newSet);
	// A size above the desired one is reduced to it.
	const next = size > replicas ? replicas : newSetSize(deployment, { size, total: totalSize(draft.allSets) });
	if (size !== replicas && draft.scale(newSet, next)) return;
	if (!scaleDownOld(draft, newSet) && isComplete(deployment, deployment.status)) draft.cleanUp();
}

/** Sizes the old ReplicaSets down as far as the limits allow; returns whether it did (upstream: reconcileOldReplicaSets). */
function scaleDownOld(draft: RolloutDraft, newSet: ReplicaSet): boolean {
	const { deployment } = draft;
	const minAvailable = (deployment.spec.replicas ?? 0) - maxUnavailable(deployment);
	const unavailable = setSize(newSet) - lastingPods(newSet);
	const most = totalSize(draft.allSets) - minAvailable - unavailable;
	if (totalSize(draft.oldSets) === 0 || most <= 0) return false;
	const lasting = [...oldestActive(draft), newSet].reduce((sum, set) => sum + lastingPods(set), 0);
	const spare = Math.max(lasting - minAvailable, 0);
	const unhealthy = removeUnhealthy(draft, most);
	if (unhealthy === undefined) return false;
	return unhealthy + removeAvailable(draft, spare) > 0;
}

/**
 * The available Pods of a ReplicaSet that will stay: none as long as its status has not seen its present size, since it may
 * still count Pods that are being deleted. Upstream takes these for available, and after a quick rollback gives up too many
 * others.
 */
function lastingPods(set: ReplicaSet): number {
	return isObserved(set) ? Math.min(set.status.availableReplicas ?? 0, setSize(set)) : 0;
}

/**
 * Gives up Pods of old ReplicaSets that are not available, at most `most`: they would only delay the rollout. Returns their
 * number; undefined if a ReplicaSet still has more available Pods than it should have: then the next pass continues.
 */
function removeUnhealthy(draft: RolloutDraft, most: number): number | undefined {
	let removed = 0;
	for (const set of oldestActive(draft)) {
		if (removed >= most) break;
		const unhealthy = setSize(set) - (set.status.availableReplicas ?? 0);
		if (unhealthy < 0) return undefined;
		const count = Math.min(most - removed, unhealthy);
		draft.scale(set, setSize(set) - count);
		removed += count;
	}
	return removed;
}

/** Gives up `spare` Pods of old ReplicaSets; returns how many it found. */
function removeAvailable(draft: RolloutDraft, spare: number): number {
	let removed = 0;
	for (const set of oldestActive(draft)) {
		if (removed >= spare) break;
		const count = Math.min(setSize(set), spare - removed);
		draft.scale(set, setSize(set) - count);
		removed += count;
	}
	return removed;
}

function oldestActive(draft: RolloutDraft): readonly ReplicaSet[] {
	return draft.oldSets.filter(isActiveSet).sort(byCreation);
}
