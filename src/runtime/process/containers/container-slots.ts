import type { Clock } from '../../../base/clock.ts';
import { FifoSet } from '../../../base/collections/fifo-set.ts';

/**
 * A counting semaphore for the containers that run at once. Callers that find no slot wait in FIFO order, each until
 * its own deadline by the monotonic clock.
 */
export class ContainerSlots {
	/** Why there may be no slot: the error message for a caller whose deadline passes. */
	readonly fullMessage: string;
	readonly #clock: Clock;
	readonly #count: number;
	#taken = 0;
	/** The callers of `take` that wait, in order. */
	readonly #waiting = new FifoSet<(hasSlot: boolean) => void>();
	/** The callers of `nextRelease` that wait. */
	readonly #watching = new Set<() => void>();

	constructor(options: { readonly count: number; readonly fullMessage: string; readonly clock: Clock }) {
		this.#count = options.count;
		this.fullMessage = options.fullMessage;
		this.#clock = options.clock;
	}

	/** Takes a slot; resolves to false if none was free by `deadline`. The caller returns it by `release`. */
	async take(deadline: number): Promise<boolean> {
		if (this.#taken < this.#count) {
			this.#taken += 1;
			return true;
		}
		return await new Promise((resolve) => {
			const answer = (hasSlot: boolean): void => {
				timer.cancel();
				this.#waiting.delete(answer);
				resolve(hasSlot);
			};
			const timer = this.#clock.setTimer(deadline - this.#clock.monotonic(), () => answer(false));
			this.#waiting.add(answer);
		});
	}

	/** Takes a slot for a container that runs already, even if there is none: `take` then waits until one is free. */
	occupy(): void {
		this.#taken += 1;
	}

	/** Returns a slot. The caller that has waited longest gets it. */
	release(): void {
		for (const onRelease of [...this.#watching]) onRelease();
		const next = this.#taken > this.#count ? undefined : this.#waiting.first;
		if (next) next(true);
		else this.#taken -= 1;
	}

	/** Resolves when a slot is returned, and at `deadline` at the latest. */
	async nextRelease(deadline: number): Promise<void> {
		await new Promise<void>((resolve) => {
			const onRelease = (): void => {
				timer.cancel();
				this.#watching.delete(onRelease);
				resolve();
			};
			const timer = this.#clock.setTimer(deadline - this.#clock.monotonic(), onRelease);
			this.#watching.add(onRelease);
		});
	}
}
