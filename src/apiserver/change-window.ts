import { assert } from '../base/assert.ts';
import type { StoredObject } from './stored-object.ts';

/** A change of one object: both given, an update; only `now`, it is new; only `before`, it is gone. */
export class ObjectChange {
	readonly revision: number;
	readonly before: StoredObject | undefined;
	readonly now: StoredObject | undefined;
	#gone: StoredObject | undefined;

	constructor(revision: number, before: StoredObject | undefined, now: StoredObject | undefined) {
		this.revision = revision;
		this.before = before;
		this.now = now;
	}

	/** What a watch is shown that the object has left: how it was before, as of this revision. */
	get gone(): StoredObject | undefined {
		this.#gone ??= this.before?.at(this.revision);
		return this.#gone;
	}
}

/** At most so many changes are kept: enough that a short burst does not send every watch to the store's log. */
const MOST_KEPT = 2000;

/** The replaced and removed objects that are kept for it have at most so many bytes together. */
const MOST_BYTES = 2 * 1024 * 1024;

/** So many places of dropped changes are given back at a time. */
const CLEAN_UP_LENGTH = 256;

/**
 * The latest changes of one resource, in order: what watches read, each at its own pace. It belongs to all
 * of them together, so a watch that reads slowly holds no memory of its own; one that falls behind the
 * window continues from the store's log.
 */
export class ChangeWindow {
	/** Undefined before `#first`. */
	#changes: Array<ObjectChange | undefined> = [];
	/** Index of the oldest change that is kept. */
	#first = 0;
	#bytes = 0;
	#start = 0;

	/** The window has every change after this revision. */
	get start(): number {
		return this.#start;
	}

	/** Begins anew: everything up to `revision` is known, and no change since. */
	reset(revision: number): void {
		this.#changes = [];
		this.#first = 0;
		this.#bytes = 0;
		this.#start = revision;
	}

	/** Adds the newest change. */
	push(change: ObjectChange): void {
		this.#changes.push(change);
		this.#bytes += sizeOf(change);
		while (this.#bytes > MOST_BYTES || this.#changes.length - this.#first > MOST_KEPT) this.#dropOldest();
		if (this.#first < CLEAN_UP_LENGTH) return;
		this.#changes.splice(0, this.#first);
		this.#first = 0;
	}

	/** The first change after `revision`, or undefined; `revision` must not be before {@link start}. */
	after(revision: number): ObjectChange | undefined {
		return this.#changes[this.#indexAfter(revision)];
	}

	/** Every change after `revision`; undefined where the window does not reach back so far. */
	since(revision: number): readonly ObjectChange[] | undefined {
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
		// Most watches have read all but the newest changes, so the search begins at the end.
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

/** What a change alone keeps in memory: the object that is no longer live. */
function sizeOf({ before }: ObjectChange): number {
	return before?.size ?? 0;
}
