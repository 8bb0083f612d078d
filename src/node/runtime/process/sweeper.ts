import type { Clock, Timer } from '../../../base/clock.ts';
import { killMarked } from './process-table.ts';

const REST_MS = 1000;

/** Who is told what by a {@link Sweeper}. */
export interface SweeperOptions {
	/** Called each time it has nothing more to do. */
	onIdle(): void;
	/** Told why the processes could not be looked at; it is tried again. */
	onError(error: unknown): void;
}

/**
 * Kills processes that outlived their container by leaving its process group. A look at all processes of
 * the machine takes milliseconds, so containers that ended are looked after together, once a second at
 * most; only who waits for it (a pipe that does not end, the killing of everything) has it done at once.
 */
export class Sweeper {
	readonly #clock: Clock;
	readonly #options: SweeperOptions;
	/** The marks of containers that ended. */
	#ended = new Set<string>();
	#beingSwept = new Set<string>();
	#timer: Timer | undefined;
	#sweep: Promise<void> | undefined;
	/** When the last look was, by the monotonic clock. */
	#last = Number.NEGATIVE_INFINITY;

	constructor(clock: Clock, options: SweeperOptions) {
		this.#clock = clock;
		this.#options = options;
	}

	/** True when no ended container is left to look after. */
	get isIdle(): boolean {
		return this.#ended.size === 0 && this.#sweep === undefined;
	}

	/** No longer looks after what carries `mark`: its container is about to run again. */
	spare(mark: string): void {
		this.#ended.delete(mark);
		this.#beingSwept.delete(mark);
	}

	/** Looks after what carries `mark` soon. */
	add(mark: string): void {
		this.#ended.add(mark);
		if (this.#timer || this.#sweep) return;
		const wait = this.#last + REST_MS - this.#clock.monotonic();
		this.#timer = this.#clock.setTimer(wait, () => void this.#run());
	}

	/** Looks after what carries `mark` at once; resolves when nothing of it is left. */
	async sweepNow(mark: string): Promise<void> {
		this.#ended.add(mark);
		await this.flush();
	}

	/** Looks after all that have ended; resolves when nothing of them is left. */
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
			// Those of now are looked after with the next ones.
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
