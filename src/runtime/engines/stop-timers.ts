import type { Clock, Timer } from '../../base/clock.ts';

/** The ends of grace periods, by container. */
export class StopTimers {
	readonly #clock: Clock;
	readonly #timers = new Map<string, { readonly due: number; readonly timer: Timer }>();

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** Calls `kill` after `delayMs`, unless an earlier call has set a shorter time for the container. */
	set(id: string, delayMs: number, kill: () => void): void {
		const due = this.#clock.monotonic() + delayMs;
		const before = this.#timers.get(id);
		if (before && before.due <= due) return;
		before?.timer.cancel();
		const timer = this.#clock.setTimer(delayMs, () => {
			this.#timers.delete(id);
			kill();
		});
		this.#timers.set(id, { due, timer });
	}

	cancel(id: string): void {
		this.#timers.get(id)?.timer.cancel();
		this.#timers.delete(id);
	}

	cancelAll(): void {
		for (const id of [...this.#timers.keys()]) this.cancel(id);
	}
}
