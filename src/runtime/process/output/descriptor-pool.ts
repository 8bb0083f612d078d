import { FifoQueue } from '../../../base/collections/fifo-queue.ts';
import { FifoSet } from '../../../base/collections/fifo-set.ts';

/** The owner of a file that may be closed between two uses and opened again. */
export interface DescriptorHolder {
	/** Closes the file. The pool calls it only between two uses. */
	closeIdle(): void;
}

/**
 * Limits the number of open files of holders that each use one now and then, such as the logs of many containers. A
 * file stays open between two uses until its descriptor is needed: the pool then closes the least recently used one.
 * If all files are in use, holders wait in FIFO order.
 */
export class DescriptorPool {
	readonly #limit: number;
	#open = 0;
	/** The holders with an open file that they do not use, the one idle longest first. */
	readonly #idle = new FifoSet<DescriptorHolder>();
	readonly #waiting = new FifoQueue<() => void>();

	/** At most `limit` open files; at least one. */
	constructor(limit: number) {
		this.#limit = limit;
	}

	/** Resolves once `holder` may use or open its file. The file is still open if the pool has not closed it. */
	async take(holder: DescriptorHolder): Promise<void> {
		if (this.#idle.delete(holder)) return;
		if (this.#open < this.#limit) {
			this.#open += 1;
			return;
		}
		const oldest = this.#idle.first;
		if (!oldest) return await new Promise((resolve) => this.#waiting.push(resolve));
		this.#idle.delete(oldest);
		oldest.closeIdle();
	}

	/** Ends a use of the holder's open file. The file stays open, or is closed for a waiting holder. */
	markIdle(holder: DescriptorHolder): void {
		const next = this.#waiting.shift();
		if (!next) {
			this.#idle.add(holder);
			return;
		}
		holder.closeIdle();
		next();
	}

	/** Ends a use after which the holder has no open file. */
	giveBack(holder: DescriptorHolder): void {
		this.#idle.delete(holder);
		const next = this.#waiting.shift();
		if (next) next();
		else this.#open -= 1;
	}
}
