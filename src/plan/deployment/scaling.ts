/**
 * Changes the sizes of the ReplicaSets after the desired number of Pods has changed, or while the Deployment is paused
 * (upstream: isScalingEvent and scale in pkg/controller/deployment/sync.go).
 */

import type { Deployment } from '../../api/apps/deployment/schema.ts';
import type { ReplicaSet } from '../../api/apps/replicaset/schema.ts';
import { desiredReplicasOf, maxReplicasOf } from './annotations.ts';
import { isRollingUpdate, maxSurge, setSize, totalSize } from './limits.ts';
import { byCreation, bySizeNewer, bySizeOlder, isActiveSet } from './replica-sets.ts';
import type { RolloutDraft } from './rollout-draft.ts';

/** Whether the desired number of Pods has changed since a ReplicaSet was last scaled. */
export function isScalingEvent({ deployment, allSets }: RolloutDraft): boolean {
	return allSets.some((set) => {
		const desired = isActiveSet(set) ? desiredReplicasOf(set) : undefined;
		return desired !== undefined && desired !== deployment.spec.replicas;
	});
}

/**
 * Scales the only active ReplicaSet, or all of them in proportion: scaling only one would hasten a rollout whose new Pods may
 * turn out not to work.
 *
 * Afterwards each active ReplicaSet is noted as scaled for the desired number. Upstream does not note it on one that has the
 * right size already, as after a scale-down in the middle of a rollout, and the rollout then never continues.
 */
export function scaleSets(draft: RolloutDraft): void {
	const { deployment, newSet, oldSets } = draft;
	const { replicas = 0 } = deployment.spec;
	const active = draft.allSets.filter(isActiveSet);
	if (active.length <= 1) {
		const only = active[0] ?? newSet ?? oldSets.toSorted(byCreation).at(-1);
		if (only) draft.scale(only, replicas, true);
	} else if (newSet && isSaturated(newSet, replicas)) {
		for (const set of oldSets.filter(isActiveSet)) draft.scale(set, 0);
	} else if (isRollingUpdate(deployment)) {
		scaleProportionally(draft, active);
	} else {
		for (const set of active) draft.scale(set, setSize(set), true);
	}
}

/** Whether the set has all desired Pods, available, and was scaled for that number (upstream: IsSaturated). */
function isSaturated(set: ReplicaSet, replicas: number): boolean {
	return (
		setSize(set) === replicas &&
		desiredReplicasOf(set) === replicas &&
		(set.status.availableReplicas ?? 0) === replicas
	);
}

function scaleProportionally(draft: RolloutDraft, active: readonly ReplicaSet[]): void {
	const { deployment } = draft;
	const { replicas = 0 } = deployment.spec;
	const allowed = replicas > 0 ? replicas + maxSurge(deployment) : 0;
	const toAdd = allowed - totalSize(active);
	// Of ReplicaSets of the same size the newer grows first, and the older shrinks first.
	const ordered = toAdd === 0 ? active : active.toSorted(toAdd > 0 ? bySizeNewer : bySizeOlder);
	let added = 0;
	const sizes = ordered.map((set) => {
		const share = shareOf(set, deployment, { toAdd, added });
		added += share;
		return setSize(set) + share;
	});
	for (const [index, set] of ordered.entries()) {
		// What rounding leaves over goes to the largest.
		const leftover = index === 0 ? toAdd - added : 0;
		draft.scale(set, Math.max((sizes[index] ?? 0) + leftover, 0), true);
	}
}

/** The part of the Pods to add that falls to the set; negative when scaling down (upstream: GetReplicaSetProportion). */
function shareOf(
	set: ReplicaSet,
	deployment: Deployment,
	{ toAdd, added }: { readonly toAdd: number; readonly added: number },
): number {
	if (toAdd === 0 || toAdd === added) return 0;
	const fraction = fractionOf(set, deployment);
	return toAdd > 0 ? Math.min(fraction, toAdd - added) : Math.max(fraction, toAdd - added);
}

/** How much the set grows if it keeps its proportion of all Pods (upstream: getReplicaSetFraction). */
function fractionOf(set: ReplicaSet, deployment: Deployment): number {
	const { replicas = 0 } = deployment.spec;
	if (replicas === 0) return -setSize(set);
	// If another client has changed the annotation, the present number of Pods is the best estimate.
	const before = maxReplicasOf(set) || (deployment.status.replicas ?? 0);
	if (before === 0) return 0;
	return Math.round((setSize(set) * (replicas + maxSurge(deployment))) / before) - setSize(set);
}
