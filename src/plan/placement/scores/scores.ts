import type { Node } from '../../../api/core/node/schema.ts';
import type { Pod } from '../../../api/core/pod/schema.ts';
import { assert } from '../../../base/assert.ts';
import type { Cluster, NodeView } from '../cluster/cluster.ts';
import { interPodAffinityScore } from './inter-pod-affinity.ts';
import { nodeAffinityScore } from './node-affinity.ts';
import { nodeResourcesBalancedScore } from './node-resources-balanced.ts';
import { nodeResourcesFitScore } from './node-resources-fit.ts';
import { podTopologySpreadScore } from './pod-topology-spread.ts';
import type { Score } from './score.ts';
import { taintTolerationScore } from './taint-toleration.ts';

/** All scores of upstream's default plugins, except ImageLocality. */
const SCORES: readonly Score[] = [
	taintTolerationScore,
	nodeAffinityScore,
	podTopologySpreadScore,
	interPodAffinityScore,
	nodeResourcesFitScore,
	nodeResourcesBalancedScore,
];

/**
 * The node with the highest weighted sum of scores, the first one if several are equal. Upstream chooses among
 * equal ones at random; a deterministic choice makes plans reproducible. `views` must not be empty.
 */
export function bestNode(pod: Pod, views: readonly NodeView[], cluster: Cluster): Node {
	const [first, ...others] = views;
	assert(first, 'a Pod fits on a node');
	if (others.length === 0) return first.node;
	const sums = views.map(() => 0);
	for (const { rate, weight } of SCORES) {
		const ratings = rate(pod, views, cluster);
		for (const [index, rating] of ratings?.entries() ?? [])
			sums[index] = (sums[index] ?? 0) + rating * weight;
	}
	let best = 0;
	for (const [index, sum] of sums.entries()) if (sum > (sums[best] ?? 0)) best = index;
	return (views[best] ?? first).node;
}
