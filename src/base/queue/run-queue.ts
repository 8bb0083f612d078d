import type { Clock } from '../clock.ts';
import { FifoQueue } from '../collections/fifo-queue.ts';

/** Maximum time for which tasks run before other events of the event loop are handled. */
const SLICE_MS = 5;

/**
 * A short piece of work, which adds itself again to continue later. An error that it throws becomes an
 * uncaught exception of the process; the tasks behind it run nevertheless.
 */
export type Task = () => void;

/**
 * Runs many short tasks in the order of their addition, in slices of a few milliseconds. `add` runs nothing
 * itself: the server answers a write before it serves the thousand watches of the written object, and a
 * request that arrives in between waits for one slice and not for all of them.
 */
export class RunQueue {
	readonly #clock: Pick<Clock, 'monotonic'>;
	readonly #pause: (next: () => void) => void;
	readonly #tasks = new FifoQueue<Task>();
	#scheduled = false;

	/** `pause` must call `next` in a later event loop turn. */
	constructor(clock: Pick<Clock, 'monotonic'>, pause: (next: () => void) => void = setImmediate) {
		this.#clock = clock;
		this.#pause = pause;
	}

	/** Adds a task, which runs in a later event loop turn. */
	add(task: Task): void {
		this.#tasks.push(task);
		this.#schedule();
	}

	#schedule(): void {
		if (this.#scheduled || this.#tasks.size === 0) return;
		this.#scheduled = true;
		this.#pause(() => {
			this.#scheduled = false;
			try {
				this.#runSlice();
			} finally {
				this.#schedule();
			}
		});
	}

	/** Runs tasks until the slice is over, but at least one. */
	#runSlice(): void {
		const end = this.#clock.monotonic() + SLICE_MS;
		do this.#tasks.shift()?.();
		while (this.#tasks.size > 0 && this.#clock.monotonic() < end);
	}
}
