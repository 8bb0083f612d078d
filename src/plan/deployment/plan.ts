import type { Deployment, DeploymentStatus } from '../../api/apps/deployment/schema.ts';
import type { ReplicaSet } from '../../api/apps/replicaset/schema.ts';
import type { EventText } from '../../api/core/event/event-text.ts';
import type { Pod } from '../../api/core/pod/schema.ts';

/** What a plan is made from. */
export interface DeploymentSnapshot {
	readonly deployment: Deployment;
	/** The ReplicaSets whose controller is the Deployment. */
	readonly sets: readonly ReplicaSet[];
	/** The ReplicaSets of the namespace without a controller. */
	readonly orphans: readonly ReplicaSet[];
	/** The Pods of `sets`. */
	readonly pods: readonly Pod[];
	readonly now: number;
}

/** A ReplicaSet to adopt, release or delete. */
export interface SetAct {
	readonly set: ReplicaSet;
	readonly because: string;
}

/** A ReplicaSet with its new annotations and size. */
export interface SetUpdate {
	readonly set: ReplicaSet;
	/** Its present size. */
	readonly from: number;
}

/**
 * The writes that a Deployment needs now. The controller applies them in this order and stops at the first that fails: the
 * next plan is made from the objects as they are then.
 */
export interface DeploymentPlan {
	/** If there is any of these, the plan has nothing else. */
	readonly adopt: readonly SetAct[];
	readonly release: readonly SetAct[];
	/** The ReplicaSet of a new template. */
	readonly create?: ReplicaSet;
	readonly update: readonly SetUpdate[];
	/** Old ReplicaSets beyond the history limit. */
	readonly delete: readonly SetAct[];
	/** The Deployment with its new status and revision; undefined if both are as they must be. */
	readonly deployment?: Deployment;
	/** ms until a lack of progress must be reported. */
	readonly recheckAfterMs?: number;
}

/** The Event of a ReplicaSet whose size has changed; undefined if it has not. */
export function scalingEvent({ set, from }: SetUpdate): EventText | undefined {
	const { replicas = 0 } = set.spec;
	if (from === replicas) return undefined;
	const message = `Scaled ${from < replicas ? 'up' : 'down'} replica set ${set.metadata.name} from ${from} to ${replicas}`;
	return { type: 'Normal', reason: 'ScalingReplicaSet', message };
}

/** The status of a Deployment after the name of its new ReplicaSet was found to be taken by another one. */
export function afterCollision({ status }: Deployment): DeploymentStatus {
	return { ...status, collisionCount: (status.collisionCount ?? 0) + 1 };
}
