/**
 * What a ReplicaSet or ReplicationController needs now (upstream: syncReplicaSet, manageReplicas and calculateStatus in
 * pkg/controller/replicaset). controllers/replicaset gathers the snapshot and applies the plan.
 *
 * Reading order: replica-owner.ts (what the two kinds have in common), availability.ts, this file, removal-order.ts,
 * replica-pod.ts.
 *
 * 1. Pods are only created while fewer active ones than desired exist, and only deleted while more do.
 * 2. An owner that is being deleted neither adopts, releases, creates nor deletes Pods; its status is kept up to date.
 * 3. The status counts the Pods of the snapshot, not those that the plan creates: their arrival causes another pass.
 */

import type { ReplicaSetCondition, ReplicaSetStatus } from '../../api/apps/replicaset/schema.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { findCondition } from '../../api/meta/conditions.ts';
import { matches, selectorOf } from '../../api/meta/selector.ts';
import { formatTime } from '../../api/meta/time.ts';
import { availableAt, isActivePod, isTerminatingPod, readyConditionOf } from './availability.ts';
import { orderForRemoval } from './removal-order.ts';
import type { ReplicaOwner } from './replica-owner.ts';

/** Maximum number of Pods that one pass creates or deletes (upstream: BurstReplicas). */
export const MOST_AT_ONCE = 500;

/** What the plan is made from. */
export interface ReplicaSnapshot {
	readonly owner: ReplicaOwner;
	/** The Pods whose controller is the owner. */
	readonly pods: readonly Pod[];
	/** The Pods of the namespace without a controller. */
	readonly orphans: readonly Pod[];
	/** The Pods of all ReplicaSets with the same controller as the owner. Empty if it has none. */
	readonly related: readonly Pod[];
	readonly now: number;
}

/** A Pod to adopt, release or delete. */
export interface ReplicaAct {
	readonly pod: Pod;
	readonly because: string;
}

/**
 * The writes, in the order in which the controller applies them. If one of `adopt` and `release` fails, nothing below is
 * applied. A failure of the others is noted in the status.
 */
export interface ReplicaPlan {
	readonly adopt: readonly ReplicaAct[];
	readonly release: readonly ReplicaAct[];
	/** Number of Pods to create. */
	readonly create: number;
	readonly delete: readonly ReplicaAct[];
	/** The status to write after the Pods were created and deleted; see {@link withFailure}. */
	readonly status: ReplicaSetStatus;
	/** Number of Pods of the snapshot that are active and belong to the owner. */
	readonly active: number;
	/** ms until the next Pod becomes available by the passing of minReadySeconds. */
	readonly recheckAfterMs?: number;
}

/** See the header of this file. */
export function planReplicas(snapshot: ReplicaSnapshot): ReplicaPlan {
	const { owner, pods, now } = snapshot;
	const isDeleting = owner.object.metadata.deletionTimestamp !== undefined;
	const claim = claimPods(snapshot, isDeleting);
	const missing = isDeleting ? 0 : owner.replicas - claim.active.length;
	const terminating = pods.filter(
		(pod) => isTerminatingPod(pod) && matches(owner.selector, pod.metadata.labels),
	).length;
	const recheckAt = nextAvailability(owner, claim.active, now);
	return {
		adopt: claim.adopt,
		release: claim.release,
		create: Math.min(Math.max(missing, 0), MOST_AT_ONCE),
		delete: missing < 0 ? surplus(snapshot, claim.active, -missing) : [],
		status: statusOf(owner, { active: claim.active, terminating, now }),
		active: claim.active.length,
		...(recheckAt !== undefined && { recheckAfterMs: recheckAt - now }),
	};
}

interface ReplicaClaim {
	/** The active Pods of the owner, with those that it adopts. */
	readonly active: readonly Pod[];
	readonly adopt: readonly ReplicaAct[];
	readonly release: readonly ReplicaAct[];
}

/** Applies the selector to the active Pods (upstream: ClaimPods). Pods that have ended are neither adopted nor released. */
function claimPods({ owner, pods, orphans }: ReplicaSnapshot, isDeleting: boolean): ReplicaClaim {
	const active: Pod[] = [];
	const release: ReplicaAct[] = [];
	for (const pod of pods.filter(isActivePod)) {
		if (matches(owner.selector, pod.metadata.labels)) active.push(pod);
		else if (!isDeleting) release.push({ pod, because: 'the selector does not match it' });
	}
	const adopt: ReplicaAct[] = [];
	for (const pod of isDeleting ? [] : orphans.filter(isActivePod)) {
		if (!matches(owner.selector, pod.metadata.labels)) continue;
		adopt.push({ pod, because: 'it has no controller and the selector matches it' });
		active.push(pod);
	}
	return { active, adopt, release };
}

function surplus(snapshot: ReplicaSnapshot, active: readonly Pod[], count: number): readonly ReplicaAct[] {
	const because = `${active.length} Pods are active and ${snapshot.owner.replicas} desired`;
	// Upstream leaves the Pods in the order of its cache if all of them go.
	const ordered = count < active.length ? orderForRemoval(active, snapshot) : active;
	return ordered.slice(0, Math.min(count, MOST_AT_ONCE)).map((pod) => ({ pod, because }));
}

interface Counted {
	readonly active: readonly Pod[];
	readonly terminating: number;
	readonly now: number;
}

/** The status without a failure; counts of 0 are left out where the API does. */
function statusOf(owner: ReplicaOwner, { active, terminating, now }: Counted): ReplicaSetStatus {
	const { object, template, minReadySeconds, countsTerminating, status: old } = owner;
	const labels = selectorOf({ matchLabels: template?.metadata?.labels ?? {} });
	const labeled = active.filter((pod) => matches(labels, pod.metadata.labels)).length;
	const ready = active.filter(readyConditionOf).length;
	const available = active.filter((pod) => (availableAt(pod, minReadySeconds) ?? Infinity) <= now).length;
	const { generation } = object.metadata;
	const conditions = (old.conditions ?? []).filter(({ type }) => type !== REPLICA_FAILURE);
	return {
		replicas: active.length,
		...(labeled > 0 && { fullyLabeledReplicas: labeled }),
		...(ready > 0 && { readyReplicas: ready }),
		...(available > 0 && { availableReplicas: available }),
		...(countsTerminating && { terminatingReplicas: terminating }),
		...(generation && { observedGeneration: generation }),
		...(conditions.length > 0 && { conditions }),
	};
}

const REPLICA_FAILURE = 'ReplicaFailure';

/** A failure to create or delete Pods. */
export interface ReplicaFailure {
	readonly message: string;
	readonly now: number;
}

/**
 * The planned status with the condition ReplicaFailure, whose reason follows from what the plan tried. A condition that the
 * owner has already is kept as it is, with its first message, as upstream does.
 */
export function withFailure(
	{ status, active }: ReplicaPlan,
	owner: ReplicaOwner,
	{ message, now }: ReplicaFailure,
): ReplicaSetStatus {
	const kept = findCondition(owner.status.conditions, REPLICA_FAILURE);
	const condition: ReplicaSetCondition = kept ?? {
		type: REPLICA_FAILURE,
		status: 'True',
		lastTransitionTime: formatTime(now),
		reason: active < owner.replicas ? 'FailedCreate' : 'FailedDelete',
		message,
	};
	return { ...status, conditions: [...(status.conditions ?? []), condition] };
}

/** When the next ready Pod becomes available, in ms since the epoch; undefined if none is waiting for that. */
function nextAvailability(owner: ReplicaOwner, active: readonly Pod[], now: number): number | undefined {
	const times = active.flatMap((pod) => {
		const at = availableAt(pod, owner.minReadySeconds);
		return at !== undefined && at > now ? [at] : [];
	});
	return times.length > 0 ? Math.min(...times) : undefined;
}
