import type { Clock } from '../base/clock.ts';

/** So long the work may hold one turn of the event loop. */
const LONGEST_TURN_MS = 10;

/** What {@link Turns} are made of. */
export interface TurnsOptions {
	readonly clock: Pick<Clock, 'monotonic'>;
	/** Does work until there is none or {@link Turns.isOver}; must not throw. In the latter case it calls `wake`. */
	readonly work: () => void;
	/** Runs `next` in a later turn of the event loop; `setImmediate` if not given. */
	readonly pause?: (next: () => void) => void;
}

/**
 * Runs work that wakes itself again from microtasks, without ever holding the event loop for long. A limit for
 * each call of the work would not do: microtasks run before any other turn of the event loop, so a chain of
 * calls, each within the limit, would hold it until the last of them. The limit therefore counts from the first
 * call of a turn, and only a later turn sets it anew. As long as the clock stands still, as it does in the
 * simulation between two timers, the work never pauses.
 */
export class Turns {
	readonly #clock: Pick<Clock, 'monotonic'>;
	readonly #work: () => void;
	readonly #pause: (next: () => void) => void;
	/** Whether the work will be called: by a microtask, or after the pause. */
	#isScheduled = false;
	/** When this turn of the event loop has been used for long enough; undefined if it has not been used. */
	#end: number | undefined;

	constructor({ clock, work, pause = setImmediate }: TurnsOptions) {
		this.#clock = clock;
		this.#work = work;
		this.#pause = pause;
	}

	/** If true, the work must leave the event loop to others now. */
	get isOver(): boolean {
		return this.#end !== undefined && this.#clock.monotonic() >= this.#end;
	}

	/** Has the work called once soon, however often it is woken until then; never before `wake` returns. */
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
