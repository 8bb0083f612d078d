import { FifoSet } from '../base/collections/fifo-set.ts';

/**
 * A priority queue: the highest priority first, and first in, first out within a priority. Unlike a heap it
 * also deletes any item in constant time, which happens whenever a queued Pod changes.
 */
export class ByPriority<T extends { readonly priority: number }> {
	readonly #levels = new Map<number, FifoSet<T>>();
	/**
	 * The priorities of the non-empty levels, descending. A cluster has few different ones, so a sorted array is
	 * enough.
	 */
	#priorities: readonly number[] = [];
	#size = 0;

	/** Number of items. */
	get size(): number {
		return this.#size;
	}

	/** Adds `item` after those of its priority; does nothing if it is queued already. */
	add(item: T): void {
		const level = this.#levels.get(item.priority) ?? this.#openLevel(item.priority);
		if (level.has(item)) return;
		level.add(item);
		this.#size += 1;
	}

	/** Removes `item`, if it is queued. */
	delete(item: T): void {
		const level = this.#levels.get(item.priority);
		if (!level?.delete(item)) return;
		this.#size -= 1;
		if (level.size > 0) return;
		this.#levels.delete(item.priority);
		this.#priorities = this.#priorities.filter((priority) => priority !== item.priority);
	}

	/** The first item, without removing it; undefined if the queue is empty. */
	first(): T | undefined {
		const [highest] = this.#priorities;
		if (highest === undefined) return undefined;
		return this.#levels.get(highest)?.first;
	}

	#openLevel(priority: number): FifoSet<T> {
		const level = new FifoSet<T>();
		this.#levels.set(priority, level);
		this.#priorities = [...this.#priorities, priority].sort((a, b) => b - a);
		return level;
	}
}
