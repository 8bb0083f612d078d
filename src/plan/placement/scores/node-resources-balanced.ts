import { allocatableAmounts, type NodeView } from '../cluster/cluster.ts';
import { type Amounts, podRequests } from '../cluster/requests.ts';
import { MAX_SCORE, type Score } from './score.ts';

const RESOURCES: readonly string[] = ['cpu', 'memory'];

/**
 * Prefers nodes on which the used shares of cpu and memory are similar, so that neither remains unusable
 * without the other (upstream: balanced_allocation.go). A Pod that requests neither is not scored.
 */
export const nodeResourcesBalancedScore: Score = {
	name: 'NodeResourcesBalancedAllocation',
	weight: 1,
	rate: (pod, views) => {
		const { amounts } = podRequests(pod);
		if (!RESOURCES.some((resource) => amounts.has(resource))) return undefined;
		return views.map((view) => rateBalance(amounts, view));
	},
};

function rateBalance(wanted: Amounts, { node, usage }: NodeView): number {
	const allocatable = allocatableAmounts(node);
	const shares = RESOURCES.filter((resource) => (allocatable.get(resource) ?? 0) > 0).map((resource) => {
		const used = (usage.requested.get(resource) ?? 0) + (wanted.get(resource) ?? 0);
		return Math.min(1, used / (allocatable.get(resource) ?? 1));
	});
	const [first = 0, second = first] = shares;
	return Math.trunc((1 - Math.abs(first - second) / 2) * MAX_SCORE);
}
