import type { Node } from '../../../api/core/node/schema.ts';
import type { Pod } from '../../../api/core/pod/schema.ts';
import { entryOf } from '../../../base/json/json.ts';
import { type Cluster, type NodeView, nameOf } from '../cluster/cluster.ts';
import { hasAllKeys, type SpreadConstraint, spreadConstraintsOf } from '../spread-constraints.ts';
import { type NodeCheck, type Predicate, type Refusal, refusedFor, refusedForPods } from './predicate.ts';

const TOO_UNEVEN = refusedForPods("node(s) didn't match pod topology spread constraints");
const NO_LABEL = refusedFor("node(s) didn't match pod topology spread constraints (missing required label)");

/** The Pod's DoNotSchedule spread constraints (upstream: podtopologyspread, filtering.go). */
export const podTopologySpread: Predicate = {
	name: 'PodTopologySpread',
	retryOn: [
		...(['node-added', 'node-removed', 'node-labels', 'node-taints'] as const),
		...(['pod-bound', 'pod-gone', 'pod-changed'] as const),
	],
	prepare: (pod, cluster) => {
		const constraints = spreadConstraintsOf(pod, 'DoNotSchedule');
		if (constraints.length === 0) return undefined;
		const domains = constraints.map(() => new Map<string, number>());
		const check = new SpreadCheck(constraints, domains);
		check.countAll(cluster);
		return check;
	},
};

/** For each constraint, the number of counted Pods in each domain. */
type Domains = readonly Map<string, number>[];

/**
 * Keeps one count per domain, so that checking a node costs one lookup per constraint. Counting the Pods of the
 * domain for each node would make the check quadratic in the number of nodes.
 */
class SpreadCheck implements NodeCheck {
	readonly kind = 'check';
	readonly #constraints: readonly SpreadConstraint[];
	readonly #domains: Domains;
	/** The smallest count of each constraint, computed on demand; undefined if it is outdated. */
	readonly #smallest: (number | undefined)[] = [];

	constructor(constraints: readonly SpreadConstraint[], domains: Domains) {
		this.#constraints = constraints;
		this.#domains = domains;
	}

	/** Counts the Pods on all nodes. */
	countAll({ nodes, occupancy }: Cluster): void {
		const podsByNode = this.#constraints.map(({ counted }) => occupancy.countByNode(counted));
		for (const node of nodes) {
			if (!hasAllKeys(node, this.#constraints)) continue;
			for (const [index, counts] of podsByNode.entries())
				this.#add(index, node, counts.get(nameOf(node)) ?? 0);
		}
	}

	refusal({ node }: NodeView): Refusal | undefined {
		for (const [index, constraint] of this.#constraints.entries()) {
			const domain = entryOf(node.metadata.labels, constraint.topologyKey);
			if (domain === undefined) return NO_LABEL;
			// A Pod that its own selector does not match leaves the counts unchanged.
			const own = constraint.matchesItself ? 1 : 0;
			const skew = (this.#domains[index]?.get(domain) ?? 0) + own - this.#smallestOf(index, constraint);
			if (skew > constraint.maxSkew) return TOO_UNEVEN;
		}
		return undefined;
	}

	move(pod: Pod, node: Node, by: 1 | -1): void {
		for (const [index, { counted }] of this.#constraints.entries())
			if (counted.matches(pod)) this.#add(index, node, by);
	}

	fork(): NodeCheck {
		return new SpreadCheck(
			this.#constraints,
			this.#domains.map((counts) => new Map(counts)),
		);
	}

	#add(index: number, node: Node, by: number): void {
		const constraint = this.#constraints[index];
		const counts = this.#domains[index];
		const domain = constraint && entryOf(node.metadata.labels, constraint.topologyKey);
		if (domain === undefined || !counts || !constraint?.includes(node)) return;
		counts.set(domain, (counts.get(domain) ?? 0) + by);
		this.#smallest[index] = undefined;
	}

	/**
	 * The smallest count of a domain. With fewer domains than `minDomains` it is 0: the missing ones count as
	 * empty.
	 */
	#smallestOf(index: number, { minDomains }: SpreadConstraint): number {
		const counts = this.#domains[index];
		if (!counts || counts.size < minDomains) return 0;
		const known = this.#smallest[index];
		if (known !== undefined) return known;
		let smallest = Number.POSITIVE_INFINITY;
		for (const count of counts.values()) smallest = Math.min(smallest, count);
		this.#smallest[index] = smallest;
		return smallest;
	}
}
