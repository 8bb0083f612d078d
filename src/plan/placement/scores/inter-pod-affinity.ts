import type { Pod } from '../../../api/core/pod/schema.ts';
import { type AffinityTerm, termMatches, termsOf } from '../affinity-terms.ts';
import { type Cluster, nameOf } from '../cluster/cluster.ts';
import { TopologyCounts } from '../cluster/topology-counts.ts';
import { countTerm } from '../predicates/inter-pod-affinity.ts';
import { MAX_SCORE, type Score } from './score.ts';

/**
 * Preferred affinity and anti-affinity between Pods: of the Pod to Pods on nodes, and of these to the Pod,
 * including their required affinity (upstream: interpodaffinity, scoring.go).
 */
export const interPodAffinityScore: Score = {
	name: 'InterPodAffinity',
	weight: 2,
	rate: (pod, views, cluster) => {
		const sums = sumPreferences(pod, cluster);
		return sums.isEmpty ? undefined : spreadOut(views.map(({ node }) => sums.sumAt(node)));
	},
};

function sumPreferences(pod: Pod, cluster: Cluster): TopologyCounts {
	const sums = new TopologyCounts();
	for (const { term, weight } of termsOf(pod).preferred)
		addEach(sums, { term, weight, podsByNode: countTerm(term, cluster), cluster });
	for (const preference of cluster.occupancy.preferences)
		if (termMatches(preference.term, pod, cluster.namespaceLabels)) addEach(sums, { ...preference, cluster });
	return sums;
}

interface Preference {
	readonly term: AffinityTerm;
	readonly weight: number;
	readonly podsByNode: ReadonlyMap<string, number>;
	readonly cluster: Cluster;
}

function addEach(
	sums: TopologyCounts,
	{ term: { topologyKey }, weight, podsByNode, cluster }: Preference,
): void {
	if (podsByNode.size === 0) return;
	for (const node of cluster.nodes) sums.add(topologyKey, node, weight * (podsByNode.get(nameOf(node)) ?? 0));
}

/**
 * Scales the values so that the smallest, or 0 if that is smaller, becomes 0 and the largest {@link MAX_SCORE}.
 */
function spreadOut(values: readonly number[]): readonly number[] {
	const least = Math.min(0, ...values);
	const range = Math.max(0, ...values) - least;
	return values.map((value) => (range > 0 ? Math.trunc((MAX_SCORE * (value - least)) / range) : 0));
}
