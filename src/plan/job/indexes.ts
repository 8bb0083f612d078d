/**
 * Sets of completion indexes, as `status.completedIndexes` and `status.failedIndexes` write them:
 * `1,3-5,7,8`. Kept as ascending intervals that neither touch nor overlap, so that a Job with a hundred
 * thousand indexes costs what its gaps cost. Immutable.
 */
export class IndexSet {
	static readonly empty = new IndexSet([]);
	/** How many indexes are in the set. */
	readonly size: number;
	readonly #intervals: readonly Interval[];

	private constructor(intervals: readonly Interval[]) {
		this.#intervals = intervals;
		this.size = intervals.reduce((sum, { first, last }) => sum + last - first + 1, 0);
	}

	/** The set of these indexes, in any order, repeated or not. */
	static of(indexes: Iterable<number>): IndexSet {
		return new IndexSet(merged([...indexes].map((index) => ({ first: index, last: index }))));
	}

	/**
	 * Reads a stored text. What was stored was validated, or was written for more completions than there
	 * are now: items that make no sense are passed over, and indexes from `completions` on are left out.
	 */
	static parse(text: string | undefined, completions: number): IndexSet {
		if (!text) return IndexSet.empty;
		const intervals: Interval[] = [];
		for (const item of text.split(',')) {
			const match = /^(\d+)(?:-(\d+))?$/.exec(item);
			if (!match) continue;
			const first = Number(match[1]);
			const last = Math.min(Number(match[2] ?? match[1]), completions - 1);
			if (first <= last) intervals.push({ first, last });
		}
		return new IndexSet(merged(intervals));
	}

	has(index: number): boolean {
		let low = 0;
		let high = this.#intervals.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			if ((this.#intervals[middle]?.last ?? 0) < index) low = middle + 1;
			else high = middle;
		}
		const found = this.#intervals[low];
		return found !== undefined && found.first <= index;
	}

	union(other: IndexSet): IndexSet {
		if (other.size === 0) return this;
		if (this.size === 0) return other;
		return new IndexSet(merged([...this.#intervals, ...other.#intervals]));
	}

	/** How many indexes both sets hold. */
	sizeOfIntersection(other: IndexSet): number {
		let count = 0;
		let i = 0;
		let j = 0;
		for (let a = this.#intervals[0], b = other.#intervals[0]; a && b; ) {
			count += Math.max(0, Math.min(a.last, b.last) - Math.max(a.first, b.first) + 1);
			if (a.last < b.last) a = this.#intervals[++i];
			else b = other.#intervals[++j];
		}
		return count;
	}

	/** The form of `status.completedIndexes`: two neighbours as `a,b`, three and more as `a-c`. */
	toString(): string {
		const parts: string[] = [];
		for (const { first, last } of this.#intervals) {
			if (first === last) parts.push(`${first}`);
			else parts.push(last === first + 1 ? `${first},${last}` : `${first}-${last}`);
		}
		return parts.join(',');
	}
}

interface Interval {
	readonly first: number;
	readonly last: number;
}

function merged(intervals: Interval[]): readonly Interval[] {
	intervals.sort((a, b) => a.first - b.first);
	const result: Interval[] = [];
	for (const interval of intervals) {
		const before = result.at(-1);
		if (!before || interval.first > before.last + 1) result.push(interval);
		else if (interval.last > before.last)
			result[result.length - 1] = { first: before.first, last: interval.last };
	}
	return result;
}
