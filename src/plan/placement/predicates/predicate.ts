import type { Node } from '../../../api/core/node/schema.ts';
import type { Pod } from '../../../api/core/pod/schema.ts';
import type { Cluster, NodeView } from '../cluster.ts';

/** A change of the cluster that may let a Pod be placed that found no node before. */
export type ClusterChange =
	| 'node-added'
	| 'node-removed'
	| 'node-allocatable'
	| 'node-labels'
	| 'node-taints'
	| 'pod-bound'
	| 'pod-gone'
	/** The labels of a bound Pod changed, or its deletion began. */
	| 'pod-changed'
	| 'namespace-labels';

/**
 * A rule that keeps a Pod off nodes, by the name of upstream's scheduler plugin. The reasons are upstream's
 * words: people and programs look for them.
 */
export interface Predicate {
	readonly name: string;
	/** The changes after which a Pod that this rule refused is worth another try. */
	readonly helpedBy: readonly ClusterChange[];
	/** Looks at the Pod and the cluster once, before the nodes are checked one by one. */
	prepare(pod: Pod, cluster: Cluster): Preparation;
}

/** What {@link Predicate.prepare} found: nothing to check, a check for each node, or that no node will do. */
export type Preparation =
	| undefined
	| NodeCheck
	| {
			readonly kind: 'no node';
			/** Why, instead of any reasons of nodes. */
			readonly reason: string;
	  };

/** Checks one node after the other. */
export interface NodeCheck {
	readonly kind: 'check';
	/** If given, only these nodes are checked; the others count as refused by `name`. */
	readonly only?: ReadonlySet<string>;
	/** Why the Pod cannot be on the node, or undefined. */
	refusal(view: NodeView): Refusal | undefined;
	/**
	 * Takes into account that `pod` is put on the node (`by` 1) or taken off it (`by` -1) in a trial. Left
	 * out where the check depends on other Pods only by what {@link NodeView} shows.
	 */
	move?(pod: Pod, node: Node, by: 1 | -1): void;
	/** A copy for a trial; given if `move` is. */
	fork?(): NodeCheck;
}

/** Why a Pod cannot be on a node. */
export interface Refusal {
	readonly reasons: readonly string[];
	/** Whether it could be otherwise without some of the Pods on the node: then preemption is tried. */
	readonly dependsOnPods: boolean;
}

/** A refusal for one reason that no Pod on the node is the cause of. */
export function refusedFor(reason: string): Refusal {
	return { reasons: [reason], dependsOnPods: false };
}

/** A refusal for one reason that Pods on the node are the cause of. */
export function refusedForPods(reason: string): Refusal {
	return { reasons: [reason], dependsOnPods: true };
}
