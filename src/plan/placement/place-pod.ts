import type { Node } from '../../api/core/node/schema.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { type Cluster, type NodeView, nameOf } from './cluster.ts';
import { type NamedRefusal, prepareFilter } from './filter.ts';
import { fitError } from './fit-error.ts';
import type { ClusterChange } from './predicates/predicate.ts';
import { PREDICATES } from './predicates/predicates.ts';
import { type Preemption, planPreemption } from './preemption.ts';
import { bestNode } from './scores/scores.ts';

/** Where a Pod goes, or why nowhere. */
export type Placement =
	| { readonly kind: 'bind'; readonly nodeName: string; readonly because: string }
	| {
			readonly kind: 'unschedulable';
			/** What upstream puts into the PodScheduled condition. */
			readonly message: string;
			/** What is done about it. */
			readonly preemption: Preemption;
			/** The names of the predicates that refused a node. */
			readonly refusedBy: ReadonlySet<string>;
	  };

/**
 * Chooses the node for a Pod: the best of those that no predicate rules out; if there is none, perhaps the
 * Pods that must make room for it. Read on in predicates/predicates.ts, scores/scores.ts, preemption.ts.
 *
 * 1. A node is never given more than it has, nor a Pod that one of the predicates refuses there.
 * 2. A Pod that fits on some node is placed; nothing is preempted for it.
 * 3. The words about a Pod that is not placed are upstream's, in its order.
 */
export function placePod(pod: Pod, cluster: Cluster): Placement {
	const { nodes } = cluster;
	if (nodes.length === 0) return NO_NODES;
	const prepared = prepareFilter(pod, cluster);
	if (prepared.kind === 'no node') {
		const preemption = planPreemption({ pod, cluster, refusals: new Map() });
		const told = `0/${nodes.length} nodes are available: ${prepared.reason}.`;
		return unschedulable(told, preemption, [prepared.predicate]);
	}
	const { filter } = prepared;
	const nominated = nodes.find((node) => nameOf(node) === pod.status.nominatedNodeName);
	if (nominated && !filter.refusal(viewOf(nominated, cluster)))
		return { kind: 'bind', nodeName: nameOf(nominated), because: 'room was made for it there' };
	const fitting: NodeView[] = [];
	const refusals = new Map<string, NamedRefusal>();
	for (const node of nodes) {
		const view = viewOf(node, cluster);
		const refusal = filter.refusal(view);
		if (refusal) refusals.set(nameOf(node), refusal);
		else fitting.push(view);
	}
	if (fitting.length > 0) {
		const because = `it is the best of ${fitting.length} fitting nodes of ${nodes.length}`;
		return { kind: 'bind', nodeName: nameOf(bestNode(pod, fitting, cluster)), because };
	}
	const reasons = Array.from(refusals.values(), (refusal) => refusal.reasons);
	const preemption = planPreemption({ pod, cluster, filter, refusals });
	const refusedBy = Array.from(refusals.values(), ({ predicate }) => predicate);
	return unschedulable(fitError(nodes.length, reasons), preemption, refusedBy);
}

/** Whether a change of the cluster makes a Pod that these predicates refused worth another try. */
export function mayHelp(change: ClusterChange, refusedBy: ReadonlySet<string>): boolean {
	if (change === 'node-added') return true;
	return PREDICATES.some(({ name, helpedBy }) => refusedBy.has(name) && helpedBy.includes(change));
}

const NO_NODES: Placement = {
	kind: 'unschedulable',
	message: 'no nodes available to schedule pods',
	preemption: { kind: 'none', message: '', endsNomination: false },
	refusedBy: new Set(),
};

function unschedulable(told: string, preemption: Preemption, refusedBy: readonly string[]): Placement {
	const rest = preemption.kind === 'none' ? ` preemption: ${preemption.message}` : '';
	return { kind: 'unschedulable', message: `${told}${rest}`, preemption, refusedBy: new Set(refusedBy) };
}

function viewOf(node: Node, { occupancy }: Cluster): NodeView {
	return { node, usage: occupancy.usage(nameOf(node)) };
}
