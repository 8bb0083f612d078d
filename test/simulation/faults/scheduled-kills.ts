import type { Random } from '../../../src/base/random.ts';

/**
 * Kills a process at one of its changing calls (a write to the API server, a change of a runtime), before or
 * after the call takes effect. These are the two sides of every crash point: what the process remembers and
 * what the world remembers then differ.
 */
export class ScheduledKill {
	readonly #atCall: number;
	readonly #before: boolean;
	#calls = 0;

	constructor(options: { readonly atCall: number; readonly before: boolean }) {
		this.#atCall = options.atCall;
		this.#before = options.before;
	}

	/** Draws one of the first hundred calls of a process; early ones are likelier. */
	static draw(random: Random): ScheduledKill {
		return new ScheduledKill({
			atCall: 1 + Math.floor(10 ** (2 * random.next())),
			before: random.next() < 0.5,
		});
	}

	/** The process is starting its next call; returns whether the process dies instead of making it. */
	killsBefore(): boolean {
		this.#calls += 1;
		return this.#before && this.#calls >= this.#atCall;
	}

	/** The call has taken effect; returns whether the process dies before it learns of that. */
	killsAfter(): boolean {
		return !this.#before && this.#calls >= this.#atCall;
	}
}
