/**
 * A map of at most `limit` keys: when it is full, a new key replaces the one that was read or written
 * longest ago. Every operation takes constant time. (A plain Map, deleted from at its front, does not:
 * finding its first key walks over every slot that was emptied since it last grew.)
 */
export class LruMap<V> {
	readonly #limit: number;
	readonly #nodes = new Map<string, Node<V>>();
	#newest: Node<V> | undefined;
	#oldest: Node<V> | undefined;

	constructor(limit: number) {
		this.#limit = limit;
	}

	/** How many keys there are. */
	get size(): number {
		return this.#nodes.size;
	}

	/** The value of `key`, which counts as used now; undefined if the map does not have it. */
	get(key: string): V | undefined {
		const node = this.#nodes.get(key);
		if (!node) return undefined;
		this.#unlink(node);
		this.#linkNewest(node);
		return node.value;
	}

	/** Sets the value of `key`, which counts as used now. */
	set(key: string, value: V): void {
		const known = this.#nodes.get(key);
		if (known) {
			known.value = value;
			this.#unlink(known);
			this.#linkNewest(known);
			return;
		}
		const node: Node<V> = { key, value, newer: undefined, older: undefined };
		this.#nodes.set(key, node);
		this.#linkNewest(node);
		if (this.#nodes.size > this.#limit && this.#oldest) this.delete(this.#oldest.key);
	}

	/** Removes `key`, if the map has it. */
	delete(key: string): void {
		const node = this.#nodes.get(key);
		if (!node) return;
		this.#nodes.delete(key);
		this.#unlink(node);
	}

	#linkNewest(node: Node<V>): void {
		node.older = this.#newest;
		if (this.#newest) this.#newest.newer = node;
		else this.#oldest = node;
		this.#newest = node;
	}

	#unlink(node: Node<V>): void {
		if (node.newer) node.newer.older = node.older;
		else this.#newest = node.older;
		if (node.older) node.older.newer = node.newer;
		else this.#oldest = node.newer;
		node.newer = undefined;
		node.older = undefined;
	}
}

interface Node<V> {
	readonly key: string;
	value: V;
	newer: Node<V> | undefined;
	older: Node<V> | undefined;
}
