import type { Node } from '../../../api/core/node/schema.ts';
import { entryOf } from '../../../base/json/json.ts';

/** Counts by topology domain: by the key of a node label and then by its value. */
export class TopologyCounts {
	readonly #byKey: Map<string, Map<string, number>>;

	/** Creates empty counts, or a copy of `from`. */
	constructor(from?: TopologyCounts) {
		this.#byKey = new Map(from && Array.from(from.#byKey, ([key, values]) => [key, new Map(values)]));
	}

	/** Whether all counts are 0. */
	get isEmpty(): boolean {
		return this.#byKey.size === 0;
	}

	/** Adds `by` to the domain of `node`; does nothing if the node lacks the label. */
	add(topologyKey: string, node: Node, by: number): void {
		const value = entryOf(node.metadata.labels, topologyKey);
		if (value === undefined || by === 0) return;
		const values = this.#byKey.get(topologyKey) ?? new Map<string, number>();
		const sum = (values.get(value) ?? 0) + by;
		if (sum === 0) values.delete(value);
		else values.set(value, sum);
		if (values.size > 0) this.#byKey.set(topologyKey, values);
		else this.#byKey.delete(topologyKey);
	}

	/** The count of the domain of `node`; 0 if the node lacks the label. */
	at(topologyKey: string, node: Node): number {
		const value = entryOf(node.metadata.labels, topologyKey);
		return value === undefined ? 0 : (this.#byKey.get(topologyKey)?.get(value) ?? 0);
	}

	/** The sum of the counts of all domains of `node`. */
	sumAt(node: Node): number {
		let sum = 0;
		for (const key of this.#byKey.keys()) sum += this.at(key, node);
		return sum;
	}

	/** Whether any domain of `node` has a positive count. */
	coversAny(node: Node): boolean {
		for (const key of this.#byKey.keys()) if (this.at(key, node) > 0) return true;
		return false;
	}
}
