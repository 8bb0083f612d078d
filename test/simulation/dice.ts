import type { Random } from '../../src/base/random.ts';

/**
 * Draws from a {@link Random}. The order of the draws is part of a seed's run: a new draw changes all later
 * ones.
 */
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

	/** One of several, all equally likely. */
	of<T>(...choices: readonly [T, ...T[]]): T {
		return choices[this.between(0, choices.length - 1)] ?? choices[0];
	}

	/** `value()` with this probability, otherwise undefined. */
	maybe<T>(probability: number, value: () => T): T | undefined {
		return this.chance(probability) ? value() : undefined;
	}
}
