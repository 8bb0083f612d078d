import type { Clock } from '../base/clock.ts';

/** Maximum time in ms that the work may use of one event loop turn. */
const LONGEST_TURN_MS = 10;

/** The dependencies of {@link Turns}. */
export interface TurnsOptions {
	readonly clock: Pick<Clock, 'monotonic'>;
	/**
	 * Works until there is no more work or {@link Turns.isOver}; in the latter case it calls `wake`. Must not
	 * throw.
	 */
	readonly work: () => void;
	/** Runs `next` in a later event loop turn. Default `setImmediate`. */
	readonly pause?: (next: () => void) => void;
}

/**
 * Runs work that wakes itself from microtasks, and limits the time it blocks the event loop.
 *
 * A limit for each call would not be enough: microtasks run before the next event loop turn, so a chain of
 * calls, each within the limit, would block the loop until the last of them. So the limit counts from the first
 * call in a turn, and only a later turn resets it. While the clock stands still, as in the simulation between
 * two timers, the work never pauses.
 */
export class Turns {
	readonly #clock: Pick<Clock, 'monotonic'>;
	readonly #work: () => void;
	readonly #pause: (next: () => void) => void;
	/** Whether a call of the work is scheduled, by a microtask or after the pause. */
	#isScheduled = false;
	/**
	 * When the limit of this event loop turn is reached, in ms; undefined if the work has not run in this turn.
	 */
	#end: number | undefined;

	constructor({ clock, work, pause = setImmediate }: TurnsOptions) {
		this.#clock = clock;
		this.#work = work;
		this.#pause = pause;
	}

	/** Whether the limit of this event loop turn is reached, so that the work must return. */
	get isOver(): boolean {
		return this.#end !== undefined && this.#clock.monotonic() >= this.#end;
	}

	/** Schedules one call of the work, never before `wake` returns. Calls until then have no further effect. */
	wake(): void {
		if (this.#isScheduled) return;
		this.#isScheduled = true;
		if (!this.isOver) queueMicrotask(() => this.#run());
	}

	#run(): void {
		if (!this.#isScheduled || this.isOver) return;
		this.#isScheduled = false;
		if (this.#end === undefined) {
			this.#end = this.#clock.monotonic() + LONGEST_TURN_MS;
			this.#pause(() => {
				this.#end = undefined;
				this.#run();
			});
		}
		this.#work();
	}
}
