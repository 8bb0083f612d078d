import { allocatableOf, type NodeView } from '../cluster.ts';
import { type Amounts, podRequests } from '../requests.ts';
import { MOST, type Score } from './score.ts';

const RESOURCES: readonly string[] = ['cpu', 'memory'];

/**
 * Cpu and memory used to the same share are better, so that neither is left over without the other
 * (upstream: balanced_allocation.go). A Pod that requests neither changes no balance.
 */
export const nodeResourcesBalancedAllocation: Score = {
	name: 'NodeResourcesBalancedAllocation',
	weight: 1,
	rate: (pod, views) => {
		const { amounts } = podRequests(pod);
		if (!RESOURCES.some((resource) => amounts.has(resource))) return undefined;
		return views.map((view) => rateBalance(amounts, view));
	},
};

function rateBalance(wanted: Amounts, { node, usage }: NodeView): number {
	const allocatable = allocatableOf(node);
	const shares = RESOURCES.filter((resource) => (allocatable.get(resource) ?? 0) > 0).map((resource) => {
		const used = (usage.requested.get(resource) ?? 0) + (wanted.get(resource) ?? 0);
		return Math.min(1, used / (allocatable.get(resource) ?? 1));
	});
	const [first = 0, second = first] = shares;
	return Math.trunc((1 - Math.abs(first - second) / 2) * MOST);
}
