/**
 * An immutable set of completion indexes in the text form of `status.completedIndexes` and
 * `status.failedIndexes`, for example `1,3-5,7,8`. It is stored as ascending intervals that neither touch nor
 * overlap, so that the cost of a Job with 100,000 indexes depends on the number of gaps, not of indexes.
 *
 * A status of 3 MB can hold 500,000 intervals, and a reconcile parses it twice. So the intervals are one array
 * of numbers, parsed by hand: an object and a regular expression match per interval took 200 ms.
 */
export class IndexSet {
	static readonly empty = new IndexSet([]);
	/** The number of indexes in the set. */
	readonly size: number;
	readonly #bounds: Bounds;

	private constructor(bounds: Bounds) {
		this.#bounds = bounds;
		let size = 0;
		for (let at = 0; at < bounds.length; at += 2) size += boundAt(bounds, at + 1) - boundAt(bounds, at) + 1;
		this.size = size;
	}

	/** The set of these indexes, which may be in any order and repeated. */
	static of(indexes: Iterable<number>): IndexSet {
		const bounds: number[] = [];
		for (const index of [...indexes].sort((a, b) => a - b)) append(bounds, index, index);
		return new IndexSet(bounds);
	}

	/**
	 * Parses the text of a stored status. Never fails: a stored status was validated, but possibly for more
	 * completions than the Job has now. Items that cannot be parsed are ignored, and so are indexes from
	 * `completions` on.
	 */
	static parse(text: string | undefined, completions: number): IndexSet {
		if (!text) return IndexSet.empty;
		const bounds: number[] = [];
		const outOfOrder: number[] = [];
		const item = new IntervalReader(text);
		while (item.next()) {
			const last = Math.min(item.last, completions - 1);
			if (item.first > last) continue;
			if (bounds.length === 0 || item.first >= boundAt(bounds, bounds.length - 2)) {
				append(bounds, item.first, last);
			} else outOfOrder.push(item.first, last);
		}
		return new IndexSet(bounds).union(new IndexSet(merged(outOfOrder)));
	}

	has(index: number): boolean {
		let low = 0;
		let high = this.#bounds.length / 2;
		while (low < high) {
			const middle = (low + high) >> 1;
			if (boundAt(this.#bounds, 2 * middle + 1) < index) low = middle + 1;
			else high = middle;
		}
		return 2 * low < this.#bounds.length && boundAt(this.#bounds, 2 * low) <= index;
	}

	union(other: IndexSet): IndexSet {
		if (other.size === 0) return this;
		if (this.size === 0) return other;
		const ours = this.#bounds;
		const theirs = other.#bounds;
		const bounds: number[] = [];
		for (let i = 0, j = 0; i < ours.length || j < theirs.length; ) {
			const isOurs = j >= theirs.length || (i < ours.length && boundAt(ours, i) <= boundAt(theirs, j));
			if (isOurs) append(bounds, boundAt(ours, i++), boundAt(ours, i++));
			else append(bounds, boundAt(theirs, j++), boundAt(theirs, j++));
		}
		return new IndexSet(bounds);
	}

	/** The number of indexes that are in both sets. */
	sizeOfIntersection(other: IndexSet): number {
		const ours = this.#bounds;
		const theirs = other.#bounds;
		let count = 0;
		for (let i = 0, j = 0; i < ours.length && j < theirs.length; ) {
			const first = Math.max(boundAt(ours, i), boundAt(theirs, j));
			const last = Math.min(boundAt(ours, i + 1), boundAt(theirs, j + 1));
			count += Math.max(0, last - first + 1);
			if (boundAt(ours, i + 1) < boundAt(theirs, j + 1)) i += 2;
			else j += 2;
		}
		return count;
	}

	/** The form of `status.completedIndexes`: two neighbours as `a,b`, three and more as `a-c`. */
	toString(): string {
		let text = '';
		for (let at = 0; at < this.#bounds.length; at += 2) {
			const first = boundAt(this.#bounds, at);
			const last = boundAt(this.#bounds, at + 1);
			if (at > 0) text += ',';
			text += first;
			if (last > first) text += `${last === first + 1 ? ',' : '-'}${last}`;
		}
		return text;
	}
}

/** The first and last index of each interval, alternating. */
type Bounds = readonly number[];

function boundAt(bounds: Bounds, at: number): number {
	return bounds[at] ?? 0;
}

/**
 * Adds an interval that starts at or after the start of the last one, and merges it with that if they touch.
 */
function append(bounds: number[], first: number, last: number): void {
	const before = boundAt(bounds, bounds.length - 1);
	if (bounds.length === 0 || first > before + 1) bounds.push(first, last);
	else if (last > before) bounds[bounds.length - 1] = last;
}

/** Sorts intervals and merges those that touch or overlap. */
function merged(bounds: Bounds): Bounds {
	const starts = Array.from({ length: bounds.length / 2 }, (_, index) => 2 * index);
	starts.sort((a, b) => boundAt(bounds, a) - boundAt(bounds, b));
	const result: number[] = [];
	for (const at of starts) append(result, boundAt(bounds, at), boundAt(bounds, at + 1));
	return result;
}

const COMMA = ','.charCodeAt(0);
const DASH = '-'.charCodeAt(0);
const ZERO = '0'.charCodeAt(0);

/** Reads the intervals in a text and skips invalid items. */
class IntervalReader {
	readonly #text: string;
	#at = 0;
	/** The first and last index of the current interval. */
	first = 0;
	last = 0;

	constructor(text: string) {
		this.#text = text;
	}

	/** Reads the next interval; false at the end of the text. */
	next(): boolean {
		while (this.#at < this.#text.length) if (this.#item()) return true;
		return false;
	}

	/** Reads one item and the comma after it; returns whether the item is a valid interval. */
	#item(): boolean {
		const first = this.#number();
		let last = first;
		if (this.#text.charCodeAt(this.#at) === DASH) {
			this.#at += 1;
			last = this.#number();
		}
		const isWhole = this.#at >= this.#text.length || this.#text.charCodeAt(this.#at) === COMMA;
		while (this.#at < this.#text.length && this.#text.charCodeAt(this.#at) !== COMMA) this.#at += 1;
		this.#at += 1;
		this.first = first;
		this.last = last;
		return isWhole && first >= 0 && last >= 0;
	}

	/** Reads a number at the current position; -1 if there is none. */
	#number(): number {
		let value = 0;
		const start = this.#at;
		for (; this.#at < this.#text.length; this.#at++) {
			const digit = this.#text.charCodeAt(this.#at) - ZERO;
			if (digit < 0 || digit > 9) break;
			value = value * 10 + digit;
		}
		return this.#at === start ? -1 : value;
	}
}
