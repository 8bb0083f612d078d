import type { Node } from '../../../api/core/node/schema.ts';
import type { Pod } from '../../../api/core/pod/schema.ts';
import { entryOf } from '../../../base/json/json.ts';
import { type AffinityTerm, termMatches, termsOf } from '../affinity-terms.ts';
import { type Cluster, type NodeView, nameOf } from '../cluster/cluster.ts';
import { TopologyCounts } from '../cluster/topology-counts.ts';
import { type NodeCheck, type Predicate, type Refusal, refusedFor, refusedForPods } from './predicate.ts';

const AFFINITY = refusedFor("node(s) didn't match pod affinity rules");
const ANTI_AFFINITY = refusedForPods("node(s) didn't match pod anti-affinity rules");
const ANTI_AFFINITY_OF_OTHERS = refusedForPods("node(s) didn't satisfy existing pods anti-affinity rules");

/**
 * The Pod's required affinity and anti-affinity to other Pods, and their required anti-affinity to the Pod
 * (upstream: interpodaffinity, filtering.go).
 */
export const interPodAffinity: Predicate = {
	name: 'InterPodAffinity',
	retryOn: ['node-added', 'node-labels', 'pod-bound', 'pod-gone', 'pod-changed', 'namespace-labels'],
	prepare: (pod, cluster) => {
		const { affinity, antiAffinity } = termsOf(pod);
		const counts = countAll(pod, cluster);
		const nothingToCheck =
			affinity.length === 0 && antiAffinity.length === 0 && counts.antiAffinityOfOthers.isEmpty;
		// A nominated Pod may have an anti-affinity that no Pod on a node has; the filter adds it with move().
		if (nothingToCheck && !someNominated(cluster)) return undefined;
		return new AffinityCheck(pod, cluster, counts);
	},
};

/** The numbers of Pods that match the terms, by their topology domains. */
interface Counts {
	/** Pods that match all terms of the Pod's affinity. */
	readonly affinity: TopologyCounts;
	/** Pods that match a term of its anti-affinity. */
	readonly antiAffinity: TopologyCounts;
	/** Pods with an anti-affinity term that matches this Pod. */
	readonly antiAffinityOfOthers: TopologyCounts;
}

/**
 * Keeps the counts of matching Pods per domain, so that checking a node needs no iteration over Pods. Affinity
 * needs one common count for all terms: upstream requires a single Pod to match all of them.
 */
class AffinityCheck implements NodeCheck {
	readonly kind = 'check';
	readonly #pod: Pod;
	readonly #cluster: Cluster;
	readonly #counts: Counts;

	constructor(pod: Pod, cluster: Cluster, counts: Counts) {
		this.#pod = pod;
		this.#cluster = cluster;
		this.#counts = counts;
	}

	refusal({ node }: NodeView): Refusal | undefined {
		const { antiAffinity } = termsOf(this.#pod);
		if (!this.#satisfiesAffinity(node)) return AFFINITY;
		const counts = this.#counts;
		if (antiAffinity.some(({ topologyKey }) => counts.antiAffinity.at(topologyKey, node) > 0))
			return ANTI_AFFINITY;
		return counts.antiAffinityOfOthers.coversAny(node) ? ANTI_AFFINITY_OF_OTHERS : undefined;
	}

	/**
	 * Each term requires a matching Pod in the node's domain. The first Pod of a group with affinity to itself
	 * finds no such Pod anywhere, so it may be placed on any node that has the labels.
	 */
	#satisfiesAffinity(node: Node): boolean {
		const { affinity } = termsOf(this.#pod);
		const { labels } = node.metadata;
		if (affinity.some(({ topologyKey }) => entryOf(labels, topologyKey) === undefined)) return false;
		const counts = this.#counts.affinity;
		if (affinity.every(({ topologyKey }) => counts.at(topologyKey, node) > 0)) return true;
		return counts.isEmpty && matchesAll(affinity, this.#pod, this.#cluster);
	}

	move(other: Pod, node: Node, by: 1 | -1): void {
		const { affinity, antiAffinity } = termsOf(this.#pod);
		const { namespaceLabels } = this.#cluster;
		const counts = this.#counts;
		if (matchesAll(affinity, other, this.#cluster))
			for (const { topologyKey } of affinity) counts.affinity.add(topologyKey, node, by);
		for (const term of antiAffinity)
			if (termMatches(term, other, namespaceLabels)) counts.antiAffinity.add(term.topologyKey, node, by);
		for (const term of termsOf(other).antiAffinity)
			if (termMatches(term, this.#pod, namespaceLabels))
				counts.antiAffinityOfOthers.add(term.topologyKey, node, by);
	}

	fork(): NodeCheck {
		const { affinity, antiAffinity, antiAffinityOfOthers } = this.#counts;
		return new AffinityCheck(this.#pod, this.#cluster, {
			affinity: new TopologyCounts(affinity),
			antiAffinity: new TopologyCounts(antiAffinity),
			antiAffinityOfOthers: new TopologyCounts(antiAffinityOfOthers),
		});
	}
}

function countAll(pod: Pod, cluster: Cluster): Counts {
	const { affinity, antiAffinity } = termsOf(pod);
	const { occupancy, namespaceLabels } = cluster;
	const counts: Counts = {
		affinity: new TopologyCounts(),
		antiAffinity: new TopologyCounts(),
		antiAffinityOfOthers: new TopologyCounts(),
	};
	const add = (to: TopologyCounts, topologyKey: string, podsByNode: ReadonlyMap<string, number>): void => {
		if (podsByNode.size === 0) return;
		for (const node of cluster.nodes) to.add(topologyKey, node, podsByNode.get(nameOf(node)) ?? 0);
	};
	if (affinity.length > 0) {
		const podsByNode = occupancy.countByNode({
			signature: `all of ${affinity.map(({ signature }) => signature).join()}`,
			matches: (other) => matchesAll(affinity, other, cluster),
		});
		for (const { topologyKey } of affinity) add(counts.affinity, topologyKey, podsByNode);
	}
	for (const term of antiAffinity) add(counts.antiAffinity, term.topologyKey, countTerm(term, cluster));
	for (const { term, podsByNode } of occupancy.antiAffinityTerms)
		if (termMatches(term, pod, namespaceLabels))
			add(counts.antiAffinityOfOthers, term.topologyKey, podsByNode);
	return counts;
}

/** The number of Pods on each node that match the term. */
export function countTerm(
	term: AffinityTerm,
	{ occupancy, namespaceLabels }: Cluster,
): ReadonlyMap<string, number> {
	return occupancy.countByNode({
		signature: term.signature,
		matches: (other) => termMatches(term, other, namespaceLabels),
	});
}

function matchesAll(terms: readonly AffinityTerm[], pod: Pod, { namespaceLabels }: Cluster): boolean {
	return terms.length > 0 && terms.every((term) => termMatches(term, pod, namespaceLabels));
}

/** Whether any node has a nominated Pod. */
function someNominated({ nodes, nominated }: Cluster): boolean {
	return nodes.some((node) => nominated(nameOf(node)).length > 0);
}
