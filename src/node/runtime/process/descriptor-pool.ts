import { FifoQueue } from '../../../base/fifo-queue.ts';
import { FifoSet } from '../../../base/fifo-set.ts';

/** Keeps a file open while it has nothing to write, and can open it again. */
export interface DescriptorHolder {
	/** Closes the file, which is not in use. */
	closeIdle(): void;
}

/**
 * Limits how many files are open at once for holders that use theirs now and then, such as the logs of many
 * containers. A file stays open between two uses as long as its place is not needed: then the one that has
 * been idle longest is closed. A holder whose turn has not come waits.
 */
export class DescriptorPool {
	readonly #limit: number;
	#open = 0;
	/** In the order in which they became idle. */
	readonly #idle = new FifoSet<DescriptorHolder>();
	readonly #waiting = new FifoQueue<() => void>();

	/** At most `limit` files in all, one or more. */
	constructor(limit: number) {
		this.#limit = limit;
	}

	/** Resolves once `holder` may have its file open; it still has it if nothing else needed the place. */
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

	/** The holder, which has its file open, does not use it any more for now. */
	rest(holder: DescriptorHolder): void {
		const next = this.#waiting.shift();
		if (!next) {
			this.#idle.add(holder);
			return;
		}
		holder.closeIdle();
		next();
	}

	/** The holder has no file open any more. */
	giveBack(holder: DescriptorHolder): void {
		this.#idle.delete(holder);
		const next = this.#waiting.shift();
		if (next) next();
		else this.#open -= 1;
	}
}
