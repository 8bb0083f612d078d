/**
 * A set, first in first out, whose {@link first} takes constant time: a linked list, and where each element is in
 * it. To ask a `Set` for its first element takes time in proportion to those that were deleted before it, so that
 * taking the first of many again and again takes quadratic time; an iterator that keeps its place in a `Set`
 * keeps every table that the `Set` had since.
 */
export class FifoSet<T> implements Iterable<T> {
	readonly #nodes = new Map<T, Node<T>>();
	#oldest: Node<T> | undefined;
	#newest: Node<T> | undefined;

	/** How many elements there are. */
	get size(): number {
		return this.#nodes.size;
	}

	/** The element that has been there longest, or undefined if there is none. */
	get first(): T | undefined {
		return this.#oldest?.item;
	}

	/** Appends an element, unless it is there already. */
	add(item: T): void {
		if (this.#nodes.has(item)) return;
		const node: Node<T> = { item, older: this.#newest, newer: undefined };
		this.#nodes.set(item, node);
		if (this.#newest) this.#newest.newer = node;
		else this.#oldest = node;
		this.#newest = node;
	}

	/** Moves the element to the end; returns whether it was there. */
	renew(item: T): boolean {
		const wasThere = this.delete(item);
		if (wasThere) this.add(item);
		return wasThere;
	}

	/** Whether the element is there. */
	has(item: T): boolean {
		return this.#nodes.has(item);
	}

	/** Takes the element out; returns whether it was there. */
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

	/** The elements, the one that has been there longest first. Elements may be deleted meanwhile. */
	[Symbol.iterator](): Iterator<T> {
		return this.#nodes.keys();
	}
}

interface Node<T> {
	readonly item: T;
	older: Node<T> | undefined;
	newer: Node<T> | undefined;
}
