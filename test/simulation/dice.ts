import type { Random } from '../../src/base/random.ts';

/** Draws from a {@link Random}. */
export class Dice implements Random {
	readonly #random: Random;

	constructor(random: Random) {
		this.#random = random;
	}

	next(): number {
		return this.#random.next();
	}

	uuid(): string {
		return this.#random.uuid();
	}

	/** A whole number from `least` to `most`, both included. */
	between(least: number, most: number): number {
		return least + Math.floor(this.#random.next() * (most - least + 1));
	}

	/** True with this probability. */
	chance(probability: number): boolean {
		return this.#random.next() < probability;
	}

	/** One of several. */
	of<T>(...choices: readonly [T, ...T[]]): T {
		return choices[this.between(0, choices.length - 1)] ?? choices[0];
	}

	/** `value` with this probability. */
	maybe<T>(probability: number, value: () => T): T | undefined {
		return this.chance(probability) ? value() : undefined;
	}
}
