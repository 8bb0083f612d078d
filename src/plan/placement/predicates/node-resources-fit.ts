import { allocatableAmounts, type NodeView } from '../cluster/cluster.ts';
import { type Amounts, podRequests } from '../cluster/requests.ts';
import type { Predicate, Refusal } from './predicate.ts';

/**
 * The Pod's requests must fit into the free allocatable resources of the node (upstream: noderesources,
 * fit.go).
 */
export const nodeResourcesFit: Predicate = {
	name: 'NodeResourcesFit',
	retryOn: ['node-added', 'node-allocatable', 'pod-gone'],
	prepare: (pod) => {
		const { amounts } = podRequests(pod);
		return { kind: 'check', refusal: (view) => lacking(amounts, view) };
	},
};

/** Names every insufficient resource. Preemption cannot help if a request exceeds the total of the node. */
function lacking(wanted: Amounts, { node, usage }: NodeView): Refusal | undefined {
	const allocatable = allocatableAmounts(node);
	let reasons: string[] | undefined;
	let dependsOnPods = true;
	for (const [resource, amount] of wanted) {
		const capacity = allocatable.get(resource) ?? 0;
		if (amount <= capacity - (usage.requested.get(resource) ?? 0)) continue;
		reasons ??= [];
		reasons.push(resource === 'pods' ? 'Too many pods' : `Insufficient ${resource}`);
		if (amount > capacity && resource !== 'pods') dependsOnPods = false;
	}
	return reasons && { reasons, dependsOnPods };
}
