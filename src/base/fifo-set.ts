/**
 * A set, first in first out, whose {@link first} takes constant time on average. To ask a `Set` for its first
 * element takes time in proportion to those that were deleted before it, so that taking the first of many
 * again and again takes quadratic time.
 */
export class FifoSet<T> implements Iterable<T> {
	readonly #items = new Set<T>();
	/** Goes through the items once; all that it has passed, but for `#first`, have been deleted or added anew. */
	#walk = this.#items.values();
	/** The first item, where it is known. */
	#first: { readonly item: T } | undefined;

	/** How many elements there are. */
	get size(): number {
		return this.#items.size;
	}

	/** The element that has been there longest, or undefined if there is none. */
	get first(): T | undefined {
		if (this.#first) return this.#first.item;
		const { done, value } = this.#walk.next();
		if (done) {
			// A walk that has come to its end stays there, whatever is added.
			this.#walk = this.#items.values();
			return undefined;
		}
		this.#first = { item: value };
		return value;
	}

	/** Appends an element, unless it is there already. */
	add(item: T): void {
		this.#items.add(item);
	}

	/** Whether the element is there. */
	has(item: T): boolean {
		return this.#items.has(item);
	}

	/** Takes the element out; returns whether it was there. */
	delete(item: T): boolean {
		if (this.#first?.item === item) this.#first = undefined;
		return this.#items.delete(item);
	}

	/** The elements, the one that has been there longest first. */
	[Symbol.iterator](): Iterator<T> {
		return this.#items.values();
	}
}
