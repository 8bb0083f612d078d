import type { Clock } from './clock.ts';
import { FifoQueue } from './fifo-queue.ts';

/** Maximum time for which tasks hold the event loop before other work has its turn. */
const SLICE_MS = 5;

/**
 * A short piece of work; it adds itself again when there is more to do. What it throws is an uncaught
 * exception of the process; the tasks behind it run all the same.
 */
export type Task = () => void;

/**
 * Runs many short tasks, first come first served, a few milliseconds at a time. The caller of `add`
 * continues first: a write is answered before the thousand watches that it woke are served, and a request that
 * comes meanwhile waits for one slice and not for all of them.
 */
export class RunQueue {
	readonly #clock: Pick<Clock, 'monotonic'>;
	readonly #pause: (next: () => void) => void;
	readonly #tasks = new FifoQueue<Task>();
	#scheduled = false;

	/** `pause` runs `next` in a later turn of the event loop. */
	constructor(clock: Pick<Clock, 'monotonic'>, pause: (next: () => void) => void = setImmediate) {
		this.#clock = clock;
		this.#pause = pause;
	}

	/** Adds a task, which runs in a later turn. */
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

	#runSlice(): void {
		const end = this.#clock.monotonic() + SLICE_MS;
		do this.#tasks.shift()?.();
		while (this.#tasks.size > 0 && this.#clock.monotonic() < end);
	}
}
