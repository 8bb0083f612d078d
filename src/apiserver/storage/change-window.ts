import { assert } from '../../base/assert.ts';
import type { StoredObject } from './stored-object.ts';

/**
 * A change of one object. With `before` and `now` it is an update, with only `now` a creation, with only
 * `before` a deletion.
 */
export class ObjectChange {
	readonly revision: number;
	readonly before: StoredObject | undefined;
	readonly now: StoredObject | undefined;
	#deleted: StoredObject | undefined;

	constructor(revision: number, before: StoredObject | undefined, now: StoredObject | undefined) {
		this.revision = revision;
		this.before = before;
		this.now = now;
	}

	/** The object for a DELETED event: its last state with the resourceVersion of this change. */
	get deleted(): StoredObject | undefined {
		this.#deleted ??= this.before?.at(this.revision);
		return this.#deleted;
	}
}

/**
 * Maximum number of changes in the window: enough that a short burst does not make every watch read the
 * store's log.
 */
const MAX_CHANGES = 2000;

/** Maximum size of the replaced and deleted objects that the window keeps in memory. */
const MAX_BYTES = 2 * 1024 * 1024;

/**
 * The array is compacted after this many dropped changes: `shift` for each would copy the array each time.
 */
const COMPACT_LENGTH = 256;

/**
 * The latest changes of one resource in order, which all its watches read, each at its own pace. The window
 * is shared, so a slow watch keeps nothing of its own in memory. A watch that falls behind the window
 * continues from the store's log (watch-history.ts). Upstream: watchCache, whose events are buffered again
 * for each watcher.
 */
export class ChangeWindow {
	/** Entries before `#first` are undefined. */
	#changes: Array<ObjectChange | undefined> = [];
	/** Index of the oldest change in the window. */
	#first = 0;
	#bytes = 0;
	#start = 0;

	/** Revision after which the window has every change. */
	get start(): number {
		return this.#start;
	}

	/** Clears the window; it starts at `revision`, which the cache has loaded. */
	reset(revision: number): void {
		this.#changes = [];
		this.#first = 0;
		this.#bytes = 0;
		this.#start = revision;
	}

	/** Adds the newest change, and drops the oldest ones beyond the limits. */
	push(change: ObjectChange): void {
		this.#changes.push(change);
		this.#bytes += sizeOf(change);
		while (this.#bytes > MAX_BYTES || this.#changes.length - this.#first > MAX_CHANGES) this.#dropOldest();
		if (this.#first < COMPACT_LENGTH) return;
		this.#changes.splice(0, this.#first);
		this.#first = 0;
	}

	/**
	 * Returns the first change after `revision`, or undefined if there is none. `revision` must not be before
	 * {@link start}.
	 */
	after(revision: number): ObjectChange | undefined {
		return this.#changes[this.#indexAfter(revision)];
	}

	/** Returns every change after `revision`; undefined if the window does not reach back that far. */
	changesAfter(revision: number): readonly ObjectChange[] | undefined {
		if (revision < this.#start) return undefined;
		return this.#changes.slice(this.#indexAfter(revision)).flatMap((change) => change ?? []);
	}

	#dropOldest(): void {
		const oldest = this.#changes[this.#first];
		assert(oldest, 'the window is empty');
		this.#changes[this.#first] = undefined;
		this.#first += 1;
		this.#bytes -= sizeOf(oldest);
		this.#start = oldest.revision;
	}

	#indexAfter(revision: number): number {
		// Most watches have read all but the newest changes. The search starts at the end with doubling steps,
		// then bisects the range it found.
		let step = 1;
		let high = this.#changes.length;
		let low = high;
		while (low > this.#first && (this.#changes[low - 1]?.revision ?? 0) > revision) {
			high = low - 1;
			low = Math.max(this.#first, high - step);
			step *= 2;
		}
		while (low < high) {
			const middle = (low + high) >>> 1;
			if ((this.#changes[middle]?.revision ?? 0) > revision) high = middle;
			else low = middle + 1;
		}
		return low;
	}
}

/**
 * The bytes that only this change keeps in memory: the previous state of the object, which is no longer in
 * the cache.
 */
function sizeOf({ before }: ObjectChange): number {
	return before?.size ?? 0;
}
