import type { Node } from '../../api/core/node/schema.ts';
import { labelOf } from './labels.ts';

/** Numbers of Pods by the domains of a topology: by the key of a node label and then by its value. */
export class TopologyCounts {
	readonly #byKey: Map<string, Map<string, number>>;

	/** Starts empty, or as a copy of `from`. */
	constructor(from?: TopologyCounts) {
		this.#byKey = new Map(from && Array.from(from.#byKey, ([key, values]) => [key, new Map(values)]));
	}

	/** Whether nothing is counted. */
	get isEmpty(): boolean {
		return this.#byKey.size === 0;
	}

	/** Counts `by` in the domain of `node`; a node without the label is in no domain. */
	add(topologyKey: string, node: Node, by: number): void {
		const value = labelOf(node.metadata.labels, topologyKey);
		if (value === undefined || by === 0) return;
		const values = this.#byKey.get(topologyKey) ?? new Map<string, number>();
		const sum = (values.get(value) ?? 0) + by;
		if (sum === 0) values.delete(value);
		else values.set(value, sum);
		if (values.size > 0) this.#byKey.set(topologyKey, values);
		else this.#byKey.delete(topologyKey);
	}

	/** What is counted in the domain of `node`; 0 without the label. */
	at(topologyKey: string, node: Node): number {
		const value = labelOf(node.metadata.labels, topologyKey);
		return value === undefined ? 0 : (this.#byKey.get(topologyKey)?.get(value) ?? 0);
	}

	/** The sum of what is counted in the domains that `node` is in. */
	sumAt(node: Node): number {
		let sum = 0;
		for (const key of this.#byKey.keys()) sum += this.at(key, node);
		return sum;
	}

	/** Whether anything is counted in a domain that `node` is in. */
	coversAny(node: Node): boolean {
		for (const key of this.#byKey.keys()) if (this.at(key, node) > 0) return true;
		return false;
	}
}
