import { FifoSet } from '../base/fifo-set.ts';

/** Things in the order of their priority, the highest first; of equal ones the one that was added first. */
export class ByPriority<T extends { readonly priority: number }> {
	readonly #levels = new Map<number, FifoSet<T>>();
	/** The priorities of the levels that have something, descending; there are few of them. */
	#priorities: readonly number[] = [];
	#size = 0;

	/** How many there are. */
	get size(): number {
		return this.#size;
	}

	/** Puts `item` behind those of its priority, unless it is there already. */
	add(item: T): void {
		const level = this.#levels.get(item.priority) ?? this.#openLevel(item.priority);
		if (level.has(item)) return;
		level.add(item);
		this.#size += 1;
	}

	/** Takes `item` out, if it is there. */
	delete(item: T): void {
		const level = this.#levels.get(item.priority);
		if (!level?.delete(item)) return;
		this.#size -= 1;
		if (level.size > 0) return;
		this.#levels.delete(item.priority);
		this.#priorities = this.#priorities.filter((priority) => priority !== item.priority);
	}

	/** The first, which stays where it is. */
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
