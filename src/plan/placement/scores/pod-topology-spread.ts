import type { Node } from '../../../api/core/node/schema.ts';
import { entryOf } from '../../../base/json/json.ts';
import { type Cluster, type NodeView, nameOf } from '../cluster/cluster.ts';
import { TopologyCounts } from '../cluster/topology-counts.ts';
import { hasAllKeys, type SpreadConstraint, spreadConstraintsOf } from '../spread-constraints.ts';
import { MAX_SCORE, type Score } from './score.ts';

/**
 * The Pod's ScheduleAnyway spread constraints: prefers nodes with fewer matching Pods in their domains
 * (upstream: podtopologyspread, scoring.go).
 */
export const podTopologySpreadScore: Score = {
	name: 'PodTopologySpread',
	weight: 2,
	rate: (pod, views, cluster) => {
		const constraints = spreadConstraintsOf(pod, 'ScheduleAnyway');
		return constraints.length === 0 ? undefined : rate(constraints, views, cluster);
	},
};

/** The scores of the nodes; 0 for a node that lacks a topology label. */
function rate(
	constraints: readonly SpreadConstraint[],
	views: readonly NodeView[],
	cluster: Cluster,
): readonly number[] {
	const eligible = views.filter(({ node }) => hasAllKeys(node, constraints));
	const counted = cluster.nodes.filter((node) => hasAllKeys(node, constraints));
	const sums = new Map<NodeView, number>();
	for (const constraint of constraints) {
		const counts = countPods(constraint, counted, cluster);
		const weight = Math.log(countDomains(constraint, eligible) + 2);
		for (const view of eligible) {
			const pods = counts.at(constraint.topologyKey, view.node);
			sums.set(view, (sums.get(view) ?? 0) + pods * weight + constraint.maxSkew - 1);
		}
	}
	const rounded = new Map(Array.from(sums, ([view, sum]) => [view, Math.round(sum)]));
	const most = Math.max(0, ...rounded.values());
	const least = Math.min(...rounded.values());
	return views.map((view) => {
		const sum = rounded.get(view);
		if (sum === undefined) return 0;
		return most === 0 ? MAX_SCORE : Math.trunc((MAX_SCORE * (most + least - sum)) / most);
	});
}

function countPods(
	constraint: SpreadConstraint,
	nodes: readonly Node[],
	{ occupancy }: Cluster,
): TopologyCounts {
	const counts = new TopologyCounts();
	const podsByNode = occupancy.countByNode(constraint.counted);
	for (const node of nodes) {
		if (!constraint.includes(node)) continue;
		counts.add(constraint.topologyKey, node, podsByNode.get(nameOf(node)) ?? 0);
	}
	return counts;
}

/**
 * The number of domains with a fitting node, from which the weight of the constraint follows: with many domains
 * the counts are small, and would have no effect beside those of a topology with few (upstream:
 * topologyNormalizingWeight).
 */
function countDomains({ topologyKey }: SpreadConstraint, eligible: readonly NodeView[]): number {
	return new Set(eligible.map(({ node }) => entryOf(node.metadata.labels, topologyKey))).size;
}
