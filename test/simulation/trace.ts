import type { Clock } from '../../src/base/clock.ts';

/**
 * The log of a run: one line for each event, with the virtual time since the start. A digest covers all lines,
 * so that two runs can be compared without keeping them; only the last lines are kept.
 */
export class Trace {
	readonly #clock: Clock;
	readonly #start: number;
	readonly #keep: number;
	#lines: string[] = [];
	#digest = 0;

	constructor(clock: Clock, keep: number) {
		this.#clock = clock;
		this.#start = clock.now();
		this.#keep = keep;
	}

	/** Adds a line: the actor and what it does. */
	note(actor: string, what: string): void {
		const seconds = ((this.#clock.now() - this.#start) / 1000).toFixed(3);
		const line = `${seconds.padStart(9)} ${actor}: ${what}`;
		for (let i = 0; i < line.length; i++)
			this.#digest = (Math.imul(this.#digest, 31) + line.charCodeAt(i)) | 0;
		this.#lines.push(line);
		if (this.#lines.length > 2 * this.#keep) this.#lines = this.#lines.slice(-this.#keep);
	}

	/** The last lines, oldest first. */
	tail(): readonly string[] {
		return this.#lines.slice(-this.#keep);
	}

	/** A hash of all lines: equal for two runs with the same events. */
	get digest(): number {
		return this.#digest;
	}
}
