/**
 * Chooses a node for a Pod: the one with the highest score among those that no predicate refuses. If there is
 * none, plans the preemption of other Pods. Pure. Upstream: schedulePod in pkg/scheduler/schedule_one.go.
 *
 * Read in this order: cluster.ts and occupancy.ts (input), predicates/predicates.ts and filter.ts (which nodes
 * fit), scores/scores.ts (which is best), preemption.ts and pick-candidate.ts, pod-scheduled.ts (status),
 * shape.ts (which Pods are unschedulable for the same reasons).
 *
 * 1. The requests of the Pods on a node never exceed its allocatable resources, and no Pod is placed on a node
 *    that a predicate refuses.
 * 2. A Pod that fits on some node is placed, and no Pod is preempted for it.
 * 3. Messages about unschedulable Pods are upstream's, with the reasons in its order.
 */

import type { Node } from '../../api/core/node/schema.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { type Cluster, type NodeView, nameOf } from './cluster/cluster.ts';
import { type NamedRefusal, prepareFilter } from './filter.ts';
import { fitError } from './fit-error.ts';
import type { ClusterChange } from './predicates/predicate.ts';
import { PREDICATES } from './predicates/predicates.ts';
import { type Preemption, planPreemption } from './preemption.ts';
import { bestNode } from './scores/scores.ts';

/** The decision for a Pod: the node to bind it to, or why it is unschedulable. */
export type Placement =
	| { readonly kind: 'bind'; readonly nodeName: string; readonly because: string }
	| {
			readonly kind: 'unschedulable';
			/** The message of the PodScheduled condition, in upstream's words. */
			readonly message: string;
			/** Whether Pods are preempted to make room. */
			readonly preemption: Preemption;
			/** The names of the predicates that refused a node: only changes that concern these can help. */
			readonly refusedBy: ReadonlySet<string>;
	  };

/** Chooses a node for a Pod, or plans a preemption for it; see the header of this file. */
export function placePod(pod: Pod, cluster: Cluster): Placement {
	const { nodes } = cluster;
	if (nodes.length === 0) return NO_NODES;
	const prepared = prepareFilter(pod, cluster);
	if (prepared.kind === 'no node') {
		const preemption = planPreemption({ pod, cluster, refusals: new Map() });
		const summary = `0/${nodes.length} nodes are available: ${prepared.reason}.`;
		return unschedulable(summary, preemption, [prepared.predicate]);
	}
	const { filter } = prepared;
	const nominated = nodes.find((node) => nameOf(node) === pod.status.nominatedNodeName);
	if (nominated && !filter.refusal(viewOf(nominated, cluster)))
		return { kind: 'bind', nodeName: nameOf(nominated), because: 'it is nominated to the node' };
	const fitting: NodeView[] = [];
	const refusals = new Map<string, NamedRefusal>();
	for (const node of nodes) {
		const view = viewOf(node, cluster);
		const refusal = filter.refusal(view);
		if (refusal) refusals.set(nameOf(node), refusal);
		else fitting.push(view);
	}
	if (fitting.length > 0) {
		const because = `it has the highest score of ${fitting.length} fitting nodes of ${nodes.length}`;
		return { kind: 'bind', nodeName: nameOf(bestNode(pod, fitting, cluster)), because };
	}
	const reasons = Array.from(refusals.values(), (refusal) => refusal.reasons);
	const preemption = planPreemption({ pod, cluster, filter, refusals });
	const refusedBy = Array.from(refusals.values(), ({ predicate }) => predicate);
	return unschedulable(fitError(nodes.length, reasons), preemption, refusedBy);
}

/**
 * Whether a change of the cluster may make a Pod schedulable that these predicates refused (upstream: queueing
 * hints).
 */
export function mayHelp(change: ClusterChange, refusedBy: ReadonlySet<string>): boolean {
	if (change === 'node-added') return true;
	return PREDICATES.some(({ name, retryOn }) => refusedBy.has(name) && retryOn.includes(change));
}

const NO_NODES: Placement = {
	kind: 'unschedulable',
	message: 'no nodes available to schedule pods',
	preemption: { kind: 'none', message: '', endsNomination: false },
	refusedBy: new Set(),
};

function unschedulable(summary: string, preemption: Preemption, refusedBy: readonly string[]): Placement {
	const rest = preemption.kind === 'none' ? ` preemption: ${preemption.message}` : '';
	return { kind: 'unschedulable', message: `${summary}${rest}`, preemption, refusedBy: new Set(refusedBy) };
}

function viewOf(node: Node, { occupancy }: Cluster): NodeView {
	return { node, usage: occupancy.usage(nameOf(node)) };
}
