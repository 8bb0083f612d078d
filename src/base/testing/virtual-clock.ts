import type { Clock, Timer } from '../clock.ts';

/**
 * A pending timer. `due` is a time of the monotonic clock; `at` is its index in the heap, -1 if it is in
 * none.
 */
interface Pending {
	readonly due: number;
	readonly order: number;
	readonly fire: () => void;
	at: number;
}

/**
 * A clock that advances only when its owner advances it. Tests and the simulation step from timer to timer, so
 * that a year takes seconds and every run is the same. Timers that are due at the same instant fire in the
 * order in which they were set.
 */
export class VirtualClock implements Clock {
	readonly #startMs: number;
	/** The sum of all changes that {@link setWallClock} made to the wall clock, in milliseconds. */
	#wallOffset = 0;
	#elapsed = 0;
	#order = 0;
	readonly #timers = new TimerHeap();

	constructor(startMs = Date.UTC(2026, 0, 1)) {
		this.#startMs = startMs;
	}

	now(): number {
		return this.#startMs + this.#elapsed + this.#wallOffset;
	}

	monotonic(): number {
		return this.#elapsed;
	}

	setTimer(delayMs: number, fire: () => void): Timer {
		// Whole milliseconds, like Node's timers. A double loses a fraction next to the milliseconds since 1970, so
		// that advanceTo(nextDue()) would stop just before the timer.
		const due = this.#elapsed + Math.ceil(Math.max(delayMs, 0));
		const pending = { due, order: this.#order++, fire, at: -1 };
		this.#timers.add(pending);
		return { cancel: () => this.#timers.remove(pending) };
	}

	/** Sets the wall clock, as an operator does. The monotonic clock and the delays of timers do not change. */
	setWallClock(instant: number): void {
		this.#wallOffset += instant - this.now();
	}

	/** The instant on the wall clock at which the next timer fires, or undefined if no timer is set. */
	nextDue(): number | undefined {
		const { first } = this.#timers;
		return first && this.now() + first.due - this.#elapsed;
	}

	/**
	 * Advances to `instant` on the wall clock and fires the timers that are due by then, in order, including
	 * timers that are set on the way. Does nothing if `instant` is in the past.
	 */
	advanceTo(instant: number): void {
		this.advance(instant - this.now());
	}

	/** Advances by `lengthMs`; see {@link advanceTo}. */
	advance(lengthMs: number): void {
		const target = this.#elapsed + lengthMs;
		for (let { first } = this.#timers; first && first.due <= target; { first } = this.#timers) {
			this.#timers.remove(first);
			this.#elapsed = Math.max(this.#elapsed, first.due);
			first.fire();
		}
		this.#elapsed = Math.max(this.#elapsed, target);
	}
}

/** A binary heap of timers with the earliest at its root: adding and removing a timer takes logarithmic time. */
class TimerHeap {
	readonly #heap: Pending[] = [];

	/** The timer that fires next, or undefined if there is none. */
	get first(): Pending | undefined {
		return this.#heap[0];
	}

	/** Adds a timer that is not in the heap. */
	add(pending: Pending): void {
		this.#heap.push(pending);
		this.#rise(pending, this.#heap.length - 1);
	}

	/** Removes a timer; does nothing if the heap does not have it. */
	remove(pending: Pending): void {
		const { at } = pending;
		if (at < 0) return;
		pending.at = -1;
		const last = this.#heap.pop();
		if (!last || last === pending) return;
		this.#rise(last, at);
		this.#sink(last, last.at);
	}

	/** Moves `pending` from the index `from` up, until its parent is earlier. */
	#rise(pending: Pending, from: number): void {
		let at = from;
		while (at > 0) {
			const above = (at - 1) >>> 1;
			const parent = this.#heap[above];
			if (!parent || isBefore(parent, pending)) break;
			this.#place(parent, at);
			at = above;
		}
		this.#place(pending, at);
	}

	/** Moves `pending` from the index `from` down, until its children are later. */
	#sink(pending: Pending, from: number): void {
		let at = from;
		for (;;) {
			const left = this.#heap[2 * at + 1];
			const right = this.#heap[2 * at + 2];
			const child = right && left && isBefore(right, left) ? right : left;
			if (!child || isBefore(pending, child)) break;
			const below = child.at;
			this.#place(child, at);
			at = below;
		}
		this.#place(pending, at);
	}

	#place(pending: Pending, at: number): void {
		this.#heap[at] = pending;
		pending.at = at;
	}
}

function isBefore(a: Pending, b: Pending): boolean {
	return a.due < b.due || (a.due === b.due && a.order < b.order);
}
