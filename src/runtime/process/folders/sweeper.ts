import type { Clock, Timer } from '../../../base/clock.ts';
import { killMarked } from '../launcher/process-table.ts';

/** Minimum time between two sweeps that no caller waits for. */
const SWEEP_INTERVAL_MS = 1000;

/** The callbacks of a {@link Sweeper}. */
export interface SweeperOptions {
	/** Called each time the last mark was swept. */
	onIdle(): void;
	/** Receives the error of a failed sweep, which is retried. */
	onError(error: unknown): void;
}

/**
 * Kills processes that outlived their container: without the shim by leaving its process group, with it because its
 * waiter was killed. A scan of all processes of the machine takes milliseconds, so one sweep covers all containers that
 * have exited, once a second at most. Only callers that wait for the result (for a pipe that stays open, or for
 * `killAll`) get a sweep at once.
 */
export class Sweeper {
	readonly #clock: Clock;
	readonly #options: SweeperOptions;
	/** The marks for the next sweep. */
	#ended = new Set<string>();
	/** The marks of the sweep in progress. */
	#beingSwept = new Set<string>();
	#timer: Timer | undefined;
	#sweep: Promise<void> | undefined;
	/** When the last sweep ended, by the monotonic clock. */
	#last = Number.NEGATIVE_INFINITY;

	constructor(clock: Clock, options: SweeperOptions) {
		this.#clock = clock;
		this.#options = options;
	}

	/** True if no sweep is due or in progress. */
	get isIdle(): boolean {
		return this.#ended.size === 0 && this.#sweep === undefined;
	}

	/** Cancels the sweep of `mark`: the container with this mark is started again. */
	cancel(mark: string): void {
		this.#ended.delete(mark);
		this.#beingSwept.delete(mark);
	}

	/** Adds `mark` to the next sweep. */
	add(mark: string): void {
		this.#ended.add(mark);
		if (this.#timer || this.#sweep) return;
		const wait = this.#last + SWEEP_INTERVAL_MS - this.#clock.monotonic();
		this.#timer = this.#clock.setTimer(wait, () => void this.#run());
	}

	/** Sweeps `mark` and all others at once; resolves after its processes were killed, or the sweep failed. */
	async sweepNow(mark: string): Promise<void> {
		this.#ended.add(mark);
		await this.flush();
	}

	/** Sweeps all marks at once; resolves after their processes were killed, or the sweep failed. */
	async flush(): Promise<void> {
		await this.#sweep;
		await this.#run();
	}

	async #run(): Promise<void> {
		this.#timer?.cancel();
		this.#timer = undefined;
		if (this.#ended.size > 0) this.#sweep ??= this.#once();
		await this.#sweep;
	}

	async #once(): Promise<void> {
		this.#beingSwept = this.#ended;
		this.#ended = new Set();
		try {
			await killMarked(this.#beingSwept);
		} catch (error) {
			// Retry these marks with the next sweep.
			for (const mark of this.#beingSwept) this.#ended.add(mark);
			this.#options.onError(error);
		}
		this.#last = this.#clock.monotonic();
		this.#sweep = undefined;
		const [waiting] = this.#ended;
		if (waiting === undefined) this.#options.onIdle();
		else this.add(waiting);
	}
}
