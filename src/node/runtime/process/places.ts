import type { Clock } from '../../../base/clock.ts';
import { FifoSet } from '../../../base/fifo-set.ts';

/**
 * Places for containers that run at once. Those that come when all are taken wait in line, each until a time
 * of its own, by the monotonic clock.
 */
export class Places {
	/** Why there may be no place, for those who wait in vain. */
	readonly whyNone: string;
	readonly #clock: Clock;
	readonly #count: number;
	#taken = 0;
	/** Those that wait for a place, in order; each is told whether it has one. */
	readonly #waiting = new FifoSet<(hasPlace: boolean) => void>();
	/** Those that wait until any place is given back. */
	readonly #watching = new Set<() => void>();

	constructor(options: { readonly count: number; readonly whyNone: string; readonly clock: Clock }) {
		this.#count = options.count;
		this.whyNone = options.whyNone;
		this.#clock = options.clock;
	}

	/** Resolves to whether there was a place before `deadline`; the caller that gets one gives it back. */
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

	/** Gives a place back, to the one that has waited longest. */
	giveBack(): void {
		for (const notice of [...this.#watching]) notice();
		const next = this.#waiting.first;
		if (next) next(true);
		else this.#taken -= 1;
	}

	/** Resolves when a place is given back, and at `deadline` at the latest. */
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
