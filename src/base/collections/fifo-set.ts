/**
 * A first-in-first-out set whose {@link first} takes constant time: a linked list, and a map from each element
 * to its node. A `Set` is not enough: finding its first element takes time in proportion to the elements that
 * were deleted before it, so that removing the first element repeatedly takes quadratic time. An iterator that
 * remembers its place in a `Set` keeps every hash table in memory that the `Set` has had since.
 */
export class FifoSet<T> implements Iterable<T> {
	readonly #nodes = new Map<T, Node<T>>();
	#oldest: Node<T> | undefined;
	#newest: Node<T> | undefined;

	/** The number of elements. */
	get size(): number {
		return this.#nodes.size;
	}

	/** The element that was added first, or undefined if the set is empty. */
	get first(): T | undefined {
		return this.#oldest?.item;
	}

	/** Appends an element, unless the set has it. */
	add(item: T): void {
		if (this.#nodes.has(item)) return;
		const node: Node<T> = { item, older: this.#newest, newer: undefined };
		this.#nodes.set(item, node);
		if (this.#newest) this.#newest.newer = node;
		else this.#oldest = node;
		this.#newest = node;
	}

	/** Moves the element to the end; returns false if the set does not have it. */
	renew(item: T): boolean {
		const wasThere = this.delete(item);
		if (wasThere) this.add(item);
		return wasThere;
	}

	/** Whether the set has the element. */
	has(item: T): boolean {
		return this.#nodes.has(item);
	}

	/** Removes the element; returns false if the set did not have it. */
	delete(item: T): boolean {
		const node = this.#nodes.get(item);
		if (!node) return false;
		this.#nodes.delete(item);
		if (node.older) node.older.newer = node.newer;
		else this.#oldest = node.newer;
		if (node.newer) node.newer.older = node.older;
		else this.#newest = node.older;
		return true;
	}

	/** The elements in the order of their addition. The caller may delete elements during the iteration. */
	[Symbol.iterator](): Iterator<T> {
		return this.#nodes.keys();
	}
}

interface Node<T> {
	readonly item: T;
	older: Node<T> | undefined;
	newer: Node<T> | undefined;
}
