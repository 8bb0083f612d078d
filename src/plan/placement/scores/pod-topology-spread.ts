import type { Node } from '../../../api/core/node/schema.ts';
import { type Cluster, type NodeView, nameOf } from '../cluster.ts';
import { labelOf } from '../labels.ts';
import { hasAllKeys, type SpreadConstraint, spreadConstraintsOf } from '../spread-constraints.ts';
import { TopologyCounts } from '../topology-counts.ts';
import { MOST, type Score } from './score.ts';

/** The Pod's ScheduleAnyway spread constraints: fewer matching Pods in the node's domains are better. */
export const podTopologySpread: Score = {
	name: 'PodTopologySpread',
	weight: 2,
	rate: (pod, views, cluster) => {
		const constraints = spreadConstraintsOf(pod, 'ScheduleAnyway');
		return constraints.length === 0 ? undefined : rate(constraints, views, cluster);
	},
};

/** A node without one of the labels is worth nothing. */
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
		return most === 0 ? MOST : Math.trunc((MOST * (most + least - sum)) / most);
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

/** Small topologies must not drown beside those with many domains. */
function countDomains({ topologyKey }: SpreadConstraint, eligible: readonly NodeView[]): number {
	return new Set(eligible.map(({ node }) => labelOf(node.metadata.labels, topologyKey))).size;
}
