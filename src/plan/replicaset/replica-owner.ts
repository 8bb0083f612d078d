import type { ReplicaSet, ReplicaSetStatus } from '../../api/apps/replicaset/schema.ts';
import type { PodTemplateSpec } from '../../api/core/pod/schema.ts';
import type { ReplicationController } from '../../api/core/replicationcontroller/schema.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { type Selector, selectorOf } from '../../api/meta/selector.ts';

/**
 * A ReplicaSet or a ReplicationController: what the rules of this folder read of it. (Upstream converts each
 * ReplicationController to a ReplicaSet for the same reason, in pkg/controller/replication/conversion.go.)
 */
export interface ReplicaOwner {
	/** The object itself, for its metadata. */
	readonly object: KubeObject;
	readonly replicas: number;
	readonly minReadySeconds: number;
	readonly selector: Selector;
	/** Undefined only for an object that validation refuses. */
	readonly template: PodTemplateSpec | undefined;
	readonly status: ReplicaSetStatus;
	/** Whether the status counts terminating Pods: that of a ReplicationController has no such field. */
	readonly countsTerminating: boolean;
}

/** See {@link ReplicaOwner}. */
export function ownerOfReplicaSet(object: ReplicaSet): ReplicaOwner {
	const { replicas = 0, minReadySeconds = 0, selector, template } = object.spec;
	return {
		object,
		replicas,
		minReadySeconds,
		selector: selectorOf(selector),
		template,
		status: object.status,
		countsTerminating: true,
	};
}

/** See {@link ReplicaOwner}. */
export function ownerOfReplicationController(object: ReplicationController): ReplicaOwner {
	const { replicas = 0, minReadySeconds = 0, selector = {}, template } = object.spec;
	return {
		object,
		replicas,
		minReadySeconds,
		selector: selectorOf({ matchLabels: selector }),
		template,
		status: object.status,
		countsTerminating: false,
	};
}
