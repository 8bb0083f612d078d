import type { Clock } from '../../src/base/clock.ts';

/**
 * What happened, a line each, with the virtual time since the start. A digest goes over all lines, so
 * that two runs can be compared without keeping them; of the lines themselves the last are kept.
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

	/** Adds a line: who did what. */
	note(who: string, what: string): void {
		const seconds = ((this.#clock.now() - this.#start) / 1000).toFixed(3);
		const line = `${seconds.padStart(9)} ${who}: ${what}`;
		for (let i = 0; i < line.length; i++)
			this.#digest = (Math.imul(this.#digest, 31) + line.charCodeAt(i)) | 0;
		this.#lines.push(line);
		if (this.#lines.length > 2 * this.#keep) this.#lines = this.#lines.slice(-this.#keep);
	}

	/** The last lines. */
	tail(): readonly string[] {
		return this.#lines.slice(-this.#keep);
	}

	/** Two runs that went the same way have the same. */
	get digest(): number {
		return this.#digest;
	}
}
