import type { Pod } from '../../api/core/pod/schema.ts';
import { hostPortsOf, UsedPorts } from './host-ports.ts';
import { type Amounts, podRequests } from './requests.ts';

/**
 * What the Pods of one node take from it together, kept by adding and subtracting, so that placing a Pod
 * costs the same with ten thousand others on the node as with none.
 */
export class NodeUsage {
	readonly #requested: Map<string, number>;
	readonly #forScores: Map<string, number>;
	/** The host ports in use. */
	readonly ports: UsedPorts;

	/** Starts empty, or as a copy of `from`, on which a decision can be tried. */
	constructor(from?: NodeUsage) {
		this.#requested = new Map(from?.requested);
		this.#forScores = new Map(from?.forScores);
		this.ports = new UsedPorts(from?.ports);
	}

	/** The sum of the requests. */
	get requested(): Amounts {
		return this.#requested;
	}

	/** The sum of the requests as scores count them; see {@link PodRequests.forScores}. */
	get forScores(): Amounts {
		return this.#forScores;
	}

	/** Counts the Pod from now on. */
	add(pod: Pod): void {
		this.#count(pod, 1);
	}

	/** No longer counts the Pod, which must have been added. */
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
