import { allocatableAmounts, type NodeView } from '../cluster/cluster.ts';
import { type Amounts, podRequests } from '../cluster/requests.ts';
import { MAX_SCORE, type Score } from './score.ts';

/** Prefers nodes with more free cpu and memory (upstream: least_allocated.go). */
export const nodeResourcesFitScore: Score = {
	name: 'NodeResourcesFit',
	weight: 1,
	rate: (pod, views) => {
		const { forScores } = podRequests(pod);
		return views.map((view) => rateFree(forScores, view));
	},
};

function rateFree(wanted: Amounts, { node, usage }: NodeView): number {
	const allocatable = allocatableAmounts(node);
	const ratings: number[] = [];
	for (const resource of ['cpu', 'memory']) {
		const capacity = allocatable.get(resource) ?? 0;
		if (capacity === 0) continue;
		const used = (usage.forScores.get(resource) ?? 0) + (wanted.get(resource) ?? 0);
		ratings.push(used > capacity ? 0 : Math.trunc(((capacity - used) * MAX_SCORE) / capacity));
	}
	return ratings.length === 0 ? 0 : Math.trunc(ratings.reduce((a, b) => a + b) / ratings.length);
}
