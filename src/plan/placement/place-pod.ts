import type { Node } from '../../api/core/node/schema.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { wantsNode } from './affinity.ts';
import { type Amounts, amountsOf, podRequests } from './requests.ts';
import { untoleratedTaint } from './taints.ts';

/** A node as placement sees it: the object and what the Pods bound to it have asked for together. */
export interface NodeView {
	readonly node: Node;
	readonly requested: Amounts;
}

/** Where a Pod goes, or why nowhere; the message is what upstream puts into the PodScheduled condition. */
export type Placement =
	| { readonly kind: 'bind'; readonly nodeName: string; readonly because: string }
	| { readonly kind: 'unschedulable'; readonly message: string };

/** Chooses the node for a Pod: the emptiest of those that no predicate rules out. */
export function placePod(pod: Pod, views: readonly NodeView[]): Placement {
	const reasons = new Map<string, number>();
	let best: { readonly view: NodeView; readonly free: number } | undefined;
	for (const view of views) {
		const refusals = refusalsOf(pod, view);
		for (const reason of refusals) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
		if (refusals.length > 0) continue;
		const free = freeShare(view);
		if (!best || free > best.free) best = { view, free };
	}
	if (!best) return { kind: 'unschedulable', message: describeRefusals(views.length, reasons) };
	const because = `it is the emptiest of ${views.length} node(s)`;
	return { kind: 'bind', nodeName: best.view.node.metadata.name ?? '', because };
}

/** A reason to rule a node out: the words of upstream's scheduler, or undefined. */
type Predicate = (pod: Pod, view: NodeView) => string | undefined;

/** In upstream's order; the first that refuses names the reason, but each lacking resource is named. */
const PREDICATES: readonly Predicate[] = [
	(pod, { node }) => {
		if (!node.spec.unschedulable) return undefined;
		const taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const;
		return untoleratedTaint([taint], pod.spec.tolerations) && 'node(s) were unschedulable';
	},
	(pod, { node }) => {
		const taint = untoleratedTaint(node.spec.taints, pod.spec.tolerations);
		return taint && `node(s) had untolerated taint(s)`;
	},
	(pod, { node }) => (wantsNode(pod, node) ? undefined : "node(s) didn't match Pod's node affinity/selector"),
];

function refusalsOf(pod: Pod, view: NodeView): readonly string[] {
	for (const predicate of PREDICATES) {
		const reason = predicate(pod, view);
		if (reason) return [reason];
	}
	return lackingResources(podRequests(pod), view);
}

function lackingResources(wanted: Amounts, { node, requested }: NodeView): readonly string[] {
	const allocatable = amountsOf(node.status.allocatable);
	const lacking: string[] = [];
	for (const [resource, amount] of Object.entries(wanted)) {
		if (amount === 0) continue;
		const free = (allocatable[resource] ?? 0) - (requested[resource] ?? 0);
		if (amount > free) lacking.push(resource === 'pods' ? 'Too many pods' : `Insufficient ${resource}`);
	}
	return lacking;
}

/** How much of the scarcer of cpu and memory is free, from 0 to 1. */
function freeShare({ node, requested }: NodeView): number {
	const allocatable = amountsOf(node.status.allocatable);
	const shares = ['cpu', 'memory', 'pods'].map((resource) => {
		const total = allocatable[resource] ?? 0;
		return total === 0 ? 0 : 1 - (requested[resource] ?? 0) / total;
	});
	return Math.min(...shares);
}

function describeRefusals(nodes: number, reasons: ReadonlyMap<string, number>): string {
	if (nodes === 0) return 'no nodes available to schedule pods';
	const parts = [...reasons].map(([reason, count]) => `${count} ${reason}`).sort();
	return `0/${nodes} nodes are available: ${parts.join(', ')}.`;
}
