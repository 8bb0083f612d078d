import type { Node } from '../../../api/core/node/schema.ts';
import type { Pod } from '../../../api/core/pod/schema.ts';
import type { Cluster, NodeView } from '../cluster/cluster.ts';

/** A change of the cluster that may make an unschedulable Pod schedulable (upstream: ClusterEvent). */
export type ClusterChange =
	| 'node-added'
	| 'node-removed'
	| 'node-allocatable'
	| 'node-labels'
	| 'node-taints'
	| 'pod-bound'
	| 'pod-gone'
	/** The labels of a bound Pod changed, or its deletion started. */
	| 'pod-changed'
	| 'namespace-labels'
	/** A claim, a volume or a StorageClass is new, was changed or deleted. */
	| 'storage';

/**
 * A rule that decides whether a Pod fits on a node, with the name of upstream's Filter plugin. The reasons are
 * upstream's messages, because users and programs search for them.
 */
export interface Predicate {
	readonly name: string;
	/** The changes after which a Pod that this rule refused is retried. */
	readonly retryOn: readonly ClusterChange[];
	/** Evaluates the Pod and the cluster once, before the single nodes (upstream: PreFilter). */
	prepare(pod: Pod, cluster: Cluster): Preparation;
}

/**
 * The result of {@link Predicate.prepare}: nothing to check, a check for each node, or a refusal of all nodes.
 */
export type Preparation =
	| undefined
	| NodeCheck
	| {
			readonly kind: 'no node';
			/** The reason, which replaces the reasons of single nodes. */
			readonly reason: string;
	  };

/** The check of single nodes for one Pod (upstream: Filter). */
export interface NodeCheck {
	readonly kind: 'check';
	/** If given, the names of the only nodes that can fit; the predicate refuses all others. */
	readonly only?: ReadonlySet<string>;
	/** The refusal of the node; undefined if the Pod fits. */
	refusal(view: NodeView): Refusal | undefined;
	/**
	 * Updates the check for a hypothetical Pod: added to the node (`by` 1) or removed from it (`by` -1). Omitted
	 * if the check depends on other Pods only through {@link NodeView}.
	 */
	move?(pod: Pod, node: Node, by: 1 | -1): void;
	/** A copy that `move` can change without affecting this check; given if `move` is. */
	fork?(): NodeCheck;
}

/** Why a Pod does not fit on a node. */
export interface Refusal {
	readonly reasons: readonly string[];
	/** Whether the Pod might fit without some Pods of the node, so that preemption is tried. */
	readonly dependsOnPods: boolean;
}

/** A refusal for a reason that does not depend on the Pods on the node. */
export function refusedFor(reason: string): Refusal {
	return { reasons: [reason], dependsOnPods: false };
}

/** A refusal for a reason that Pods on the node cause. */
export function refusedForPods(reason: string): Refusal {
	return { reasons: [reason], dependsOnPods: true };
}
