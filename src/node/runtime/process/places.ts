import type { Clock } from '../../../base/clock.ts';
import { FifoSet } from '../../../base/fifo-set.ts';

/**
 * A counting semaphore for the containers that run at once. Callers that find no place wait in FIFO order, each until
 * its own deadline by the monotonic clock.
 */
export class Places {
	/** Why there may be no place: the error message for a caller whose deadline passes. */
	readonly whyNone: string;
	readonly #clock: Clock;
	readonly #count: number;
	#taken = 0;
	/** The callers of `take` that wait, in order. */
	readonly #waiting = new FifoSet<(hasPlace: boolean) => void>();
	/** The callers of `change` that wait. */
	readonly #watching = new Set<() => void>();

	constructor(options: { readonly count: number; readonly whyNone: string; readonly clock: Clock }) {
		this.#count = options.count;
		this.whyNone = options.whyNone;
		this.#clock = options.clock;
	}

	/** Takes a place; resolves to false if none was free by `deadline`. The caller returns it by `giveBack`. */
	async take(deadline: number): Promise<boolean> {
		if (this.#taken < this.#count) {
			this.#taken += 1;
			return true;
		}
		return await new Promise((resolve) => {
			const answer = (hasPlace: boolean): void => {
				timer.cancel();
				this.#waiting.delete(answer);
				resolve(hasPlace);
			};
			const timer = this.#clock.setTimer(deadline - this.#clock.monotonic(), () => answer(false));
			this.#waiting.add(answer);
		});
	}

	/** Returns a place. The caller that has waited longest gets it. */
	giveBack(): void {
		for (const notice of [...this.#watching]) notice();
		const next = this.#waiting.first;
		if (next) next(true);
		else this.#taken -= 1;
	}

	/** Resolves when a place is returned, and at `deadline` at the latest. */
	async change(deadline: number): Promise<void> {
		await new Promise<void>((resolve) => {
			const notice = (): void => {
				timer.cancel();
				this.#watching.delete(notice);
				resolve();
			};
			const timer = this.#clock.setTimer(deadline - this.#clock.monotonic(), notice);
			this.#watching.add(notice);
		});
	}
}
