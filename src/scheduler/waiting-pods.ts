import type { Pod } from '../api/core/pod/schema.ts';

/**
 * The Pods that found no node, filed by shape: Pods of one controller are alike, so where one does not
 * fit neither do its siblings, and when room appears it is enough to try one of each shape.
 */
export class WaitingPods {
	readonly #shapes = new Map<string, Set<string>>();
	readonly #shapeOf = new Map<string, string>();

	/** How many there are. */
	get size(): number {
		return this.#shapeOf.size;
	}

	/** Files the Pod under `key`. */
	add(key: string, pod: Pod): void {
		this.remove(key);
		const shape = shapeOf(key, pod);
		const keys = this.#shapes.get(shape) ?? new Set();
		keys.add(key);
		this.#shapes.set(shape, keys);
		this.#shapeOf.set(key, shape);
	}

	/** Takes the key out; returns another one of its shape, if any waits. */
	remove(key: string): string | undefined {
		const shape = this.#shapeOf.get(key);
		if (shape === undefined) return undefined;
		this.#shapeOf.delete(key);
		const keys = this.#shapes.get(shape);
		keys?.delete(key);
		if (keys?.size === 0) this.#shapes.delete(shape);
		const [sibling] = keys ?? [];
		return sibling;
	}

	/** One key of each shape. */
	oneOfEach(): readonly string[] {
		const picked: string[] = [];
		for (const keys of this.#shapes.values()) {
			const [key] = keys;
			if (key !== undefined) picked.push(key);
		}
		return picked;
	}
}

function shapeOf(key: string, { metadata }: Pod): string {
	return metadata.ownerReferences?.find((owner) => owner.controller)?.uid ?? key;
}
