import { allocatableOf, type NodeView } from '../cluster.ts';
import { type Amounts, podRequests } from '../requests.ts';
import type { Predicate, Refusal } from './predicate.ts';

/** The node must have what the Pod requests, beside its other Pods (upstream: noderesources, fit.go). */
export const nodeResourcesFit: Predicate = {
	name: 'NodeResourcesFit',
	helpedBy: ['node-added', 'node-allocatable', 'pod-gone'],
	prepare: (pod) => {
		const { amounts } = podRequests(pod);
		return { kind: 'check', refusal: (view) => lacking(amounts, view) };
	},
};

/** Every resource that is short is named. Preemption cannot help where a whole node has too little. */
function lacking(wanted: Amounts, { node, usage }: NodeView): Refusal | undefined {
	const allocatable = allocatableOf(node);
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
