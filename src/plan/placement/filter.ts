import type { Node } from '../../api/core/node/schema.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { type Cluster, type NodeView, nameOf } from './cluster/cluster.ts';
import { NodeUsage } from './cluster/node-usage.ts';
import { priorityOf } from './cluster/occupancy.ts';
import type { NodeCheck, Refusal } from './predicates/predicate.ts';
import { PREDICATES } from './predicates/predicates.ts';

/** A refusal and the name of the predicate that it comes from. */
export interface NamedRefusal extends Refusal {
	readonly predicate: string;
}

interface NamedCheck {
	readonly predicate: string;
	readonly check: NodeCheck;
}

/** All predicates, prepared for one Pod. */
export class Filter {
	readonly #pod: Pod;
	readonly #cluster: Cluster;
	readonly #checks: readonly NamedCheck[];

	constructor(pod: Pod, cluster: Cluster, checks: readonly NamedCheck[]) {
		this.#pod = pod;
		this.#cluster = cluster;
		this.#checks = checks;
	}

	/**
	 * The first refusal of the node; undefined if the Pod fits. Pods of the same or a higher priority that are
	 * nominated to the node are assumed to run there. The Pod must also fit without them: they may be bound
	 * elsewhere, and an affinity may need them (upstream: RunFilterPluginsWithNominatedPods).
	 */
	refusal(view: NodeView): NamedRefusal | undefined {
		const nominated = this.#nominated(view.node);
		if (nominated.length === 0) return this.#refusal(view);
		const trial = this.fork();
		const usage = new NodeUsage(view.usage);
		for (const pod of nominated) {
			usage.add(pod);
			trial.move(pod, view.node, 1);
		}
		return trial.#refusal({ node: view.node, usage }) ?? this.#refusal(view);
	}

	/** Updates the checks for a hypothetical Pod: added to the node (`by` 1) or removed from it (`by` -1). */
	move(pod: Pod, node: Node, by: 1 | -1): void {
		for (const { check } of this.#checks) check.move?.(pod, node, by);
	}

	/** A copy whose checks can be changed by {@link move} without affecting this one. */
	fork(): Filter {
		const checks = this.#checks.map(({ predicate, check }) => ({
			predicate,
			check: check.fork?.() ?? check,
		}));
		return new Filter(this.#pod, this.#cluster, checks);
	}

	/**
	 * Checks the names of nodes first, as upstream does: such a node is not passed to the Filter plugins at all.
	 */
	#refusal(view: NodeView): NamedRefusal | undefined {
		for (const { predicate, check } of this.#checks) {
			if (check.only && !check.only.has(nameOf(view.node))) {
				const reasons = [`node(s) didn't satisfy plugin(s) [${predicate}]`];
				return { predicate, reasons, dependsOnPods: false };
			}
		}
		for (const { predicate, check } of this.#checks) {
			const refusal = check.refusal(view);
			if (refusal) return { predicate, ...refusal };
		}
		return undefined;
	}

	/** The Pods nominated to the node that may not be displaced by this Pod, without the Pod itself. */
	#nominated(node: Node): readonly Pod[] {
		const nominated = this.#cluster.nominated(nameOf(node));
		if (nominated.length === 0) return nominated;
		const priority = priorityOf(this.#pod);
		const { uid } = this.#pod.metadata;
		return nominated.filter((pod) => pod.metadata.uid !== uid && priorityOf(pod) >= priority);
	}
}

/** The filter for a Pod, or the predicate that refuses all nodes and its reason. */
export type Prepared =
	| { readonly kind: 'filter'; readonly filter: Filter }
	| { readonly kind: 'no node'; readonly predicate: string; readonly reason: string };

/** Prepares all predicates for a Pod. */
export function prepareFilter(pod: Pod, cluster: Cluster): Prepared {
	const checks: NamedCheck[] = [];
	for (const { name, prepare } of PREDICATES) {
		const preparation = prepare(pod, cluster);
		if (preparation?.kind === 'no node')
			return { kind: 'no node', predicate: name, reason: preparation.reason };
		if (preparation) checks.push({ predicate: name, check: preparation });
	}
	return { kind: 'filter', filter: new Filter(pod, cluster, checks) };
}
