import type { Pod } from '../../../api/core/pod/schema.ts';
import { hostPortsOf, UsedPorts } from './host-ports.ts';
import { type Amounts, podRequests } from './requests.ts';

/**
 * The total usage of one node by its Pods. It is updated incrementally, so that the cost of placing a Pod does
 * not depend on the number of Pods on the node.
 */
export class NodeUsage {
	readonly #requested: Map<string, number>;
	readonly #forScores: Map<string, number>;
	/** The host ports that the Pods use. */
	readonly ports: UsedPorts;

	/** Creates an empty usage, or a copy of `from` for a simulation. */
	constructor(from?: NodeUsage) {
		this.#requested = new Map(from?.requested);
		this.#forScores = new Map(from?.forScores);
		this.ports = new UsedPorts(from?.ports);
	}

	/** The sum of the Pods' requests. */
	get requested(): Amounts {
		return this.#requested;
	}

	/** The sum of the Pods' requests for scoring; see {@link PodRequests.forScores}. */
	get forScores(): Amounts {
		return this.#forScores;
	}

	/** Adds the usage of the Pod. */
	add(pod: Pod): void {
		this.#count(pod, 1);
	}

	/** Subtracts the usage of a Pod that was added before. */
	remove(pod: Pod): void {
		this.#count(pod, -1);
	}

	#count(pod: Pod, by: 1 | -1): void {
		const { amounts, forScores } = podRequests(pod);
		addTo(this.#requested, amounts, by);
		addTo(this.#forScores, forScores, by);
		for (const port of hostPortsOf(pod)) this.ports.hold(port, by);
	}
}

function addTo(sums: Map<string, number>, amounts: Amounts, by: 1 | -1): void {
	for (const [resource, amount] of amounts) {
		const sum = (sums.get(resource) ?? 0) + by * amount;
		if (sum === 0) sums.delete(resource);
		else sums.set(resource, sum);
	}
}
