import type { Clock, Timer } from '../clock.ts';

interface Entry {
	readonly due: number;
	/** The order of entries that are due at the same time. */
	readonly serial: number;
	fire: (() => void) | undefined;
}

/**
 * Many timers on one timer of the clock: a heap by due time. A timer of Node costs about a microsecond to set and a
 * place in its lists; a thousand probes that each set one in turn are cheaper here, and stop with one call.
 */
export class TimerQueue {
	readonly #clock: Clock;
	/** A binary heap. Cancelled entries stay until they are due, or until they are the majority. */
	#heap: Entry[] = [];
	#cancelled = 0;
	#serial = 0;
	#timer: Timer | undefined;
	/** When `#timer` fires, by the monotonic clock. */
	#timerDue = Number.POSITIVE_INFINITY;

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** The number of timers that are pending. */
	get size(): number {
		return this.#heap.length - this.#cancelled;
	}

	/** Calls `fire` once in `delayMs`, never synchronously. */
	setTimer(delayMs: number, fire: () => void): Timer {
		const due = this.#clock.monotonic() + Math.max(0, delayMs);
		const entry: Entry = { due, serial: this.#serial++, fire };
		this.#heap.push(entry);
		this.#siftUp(this.#heap.length - 1);
		this.#arm();
		return { cancel: () => this.#cancel(entry) };
	}

	/** Cancels all timers. */
	clear(): void {
		for (const entry of this.#heap) entry.fire = undefined;
		this.#heap = [];
		this.#cancelled = 0;
		this.#arm();
	}

	#cancel(entry: Entry): void {
		if (!entry.fire) return;
		entry.fire = undefined;
		this.#cancelled += 1;
		if (this.#cancelled * 2 < this.#heap.length) return;
		this.#heap = this.#heap.filter(({ fire }) => fire).sort((a, b) => (isBefore(a, b) ? -1 : 1));
		this.#cancelled = 0;
		this.#arm();
	}

	#arm(): void {
		const due = this.#heap[0]?.due ?? Number.POSITIVE_INFINITY;
		if (due === this.#timerDue) return;
		this.#timer?.cancel();
		this.#timerDue = due;
		this.#timer = Number.isFinite(due)
			? this.#clock.setTimer(due - this.#clock.monotonic(), () => this.#run())
			: undefined;
	}

	#run(): void {
		this.#timerDue = Number.POSITIVE_INFINITY;
		const now = this.#clock.monotonic();
		for (let top = this.#heap[0]; top && top.due <= now; top = this.#heap[0]) {
			this.#removeTop();
			const { fire } = top;
			top.fire = undefined;
			if (fire) fire();
			else this.#cancelled -= 1;
		}
		this.#arm();
	}

	#removeTop(): void {
		const last = this.#heap.pop();
		if (!last || this.#heap.length === 0) return;
		this.#heap[0] = last;
		let at = 0;
		for (;;) {
			const left = 2 * at + 1;
			const [a, b] = [this.#heap[left], this.#heap[left + 1]];
			if (!a) return;
			const child = b && isBefore(b, a) ? left + 1 : left;
			if (!this.#swapIfBefore(child, at)) return;
			at = child;
		}
	}

	#siftUp(from: number): void {
		for (let at = from; at > 0; ) {
			const parent = (at - 1) >> 1;
			if (!this.#swapIfBefore(at, parent)) return;
			at = parent;
		}
	}

	/** Swaps the two entries if the first is due before the second; returns whether it has. */
	#swapIfBefore(first: number, second: number): boolean {
		const [a, b] = [this.#heap[first], this.#heap[second]];
		if (!a || !b || !isBefore(a, b)) return false;
		this.#heap[first] = b;
		this.#heap[second] = a;
		return true;
	}
}

function isBefore(a: Entry, b: Entry): boolean {
	return a.due < b.due || (a.due === b.due && a.serial < b.serial);
}
