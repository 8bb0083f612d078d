import { FifoQueue } from '../collections/fifo-queue.ts';

/** Limits how many tasks run at once; the others wait and start in the order in which they were added. */
export class ConcurrencyLimit {
	readonly #waiting = new FifoQueue<() => void>();
	#free: number;

	constructor(most: number) {
		this.#free = most;
	}

	/** Runs the task as soon as fewer than the maximum are running; settles as the task does. */
	async run<T>(task: () => Promise<T>): Promise<T> {
		if (this.#free > 0) this.#free -= 1;
		else await new Promise<void>((resolve) => this.#waiting.push(resolve));
		try {
			return await task();
		} finally {
			const next = this.#waiting.shift();
			if (next) next();
			else this.#free += 1;
		}
	}
}
