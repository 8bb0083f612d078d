import { replicaSets } from '../../api/apps/replicaset/definition.ts';
import type { ReplicaSet, ReplicaSetStatus } from '../../api/apps/replicaset/schema.ts';
import type { ResourceDefinition } from '../../api/contract/resource-definition.ts';
import { replicationControllers } from '../../api/core/replicationcontroller/definition.ts';
import type { ReplicationController } from '../../api/core/replicationcontroller/schema.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import {
	ownerOfReplicaSet,
	ownerOfReplicationController,
	type ReplicaOwner,
} from '../../plan/replicaset/replica-owner.ts';

/** A kind of object that keeps a number of Pods: how its controller reads it and writes its status. */
export interface ReplicaKind<T extends KubeObject> {
	readonly definition: ResourceDefinition<T>;
	ownerOf(object: T): ReplicaOwner;
	/** The object with another status. */
	withStatus(object: T, status: ReplicaSetStatus): T;
}

/** See {@link ReplicaKind}. */
export const REPLICA_SETS: ReplicaKind<ReplicaSet> = {
	definition: replicaSets,
	ownerOf: ownerOfReplicaSet,
	withStatus: (object, status) => ({ ...object, status }),
};

/** See {@link ReplicaKind}. The plan leaves out of the status what this kind lacks. */
export const REPLICATION_CONTROLLERS: ReplicaKind<ReplicationController> = {
	definition: replicationControllers,
	ownerOf: ownerOfReplicationController,
	withStatus: (object, { terminatingReplicas: _none, ...status }) => ({ ...object, status }),
};
