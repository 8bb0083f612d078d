/**
 * A queue, first in first out, whose `push` and `shift` take constant time on average.
 * `Array.prototype.shift` moves every element that remains: with tens of thousands waiting that was 4 %
 * of the server's CPU time.
 */
export class FifoQueue<T> {
	/** Elements in the order in which they came. */
	#arriving: T[] = [];
	/** Elements older than those, in reverse, so that taking one is a `pop`. */
	#leaving: T[] = [];

	/** How many elements wait. */
	get size(): number {
		return this.#arriving.length + this.#leaving.length;
	}

	/** The element that {@link shift} would take, or undefined if the queue is empty. */
	get first(): T | undefined {
		return this.#leaving.at(-1) ?? this.#arriving[0];
	}

	/** Appends an element. */
	push(item: T): void {
		this.#arriving.push(item);
	}

	/** Removes the oldest element and returns it; undefined if the queue is empty. */
	shift(): T | undefined {
		if (this.#leaving.length === 0) {
			this.#leaving = this.#arriving.reverse();
			this.#arriving = [];
		}
		return this.#leaving.pop();
	}

	/** Removes every element and returns them, oldest first. */
	drain(): readonly T[] {
		const items = [...this.#leaving.reverse(), ...this.#arriving];
		this.#leaving = [];
		this.#arriving = [];
		return items;
	}
}
