import type { Random } from '../../src/base/random.ts';

/** When a process dies by itself: at one of its acts upon the world, before or after that takes effect. */
export class Doom {
	readonly #atAct: number;
	readonly #before: boolean;
	#acts = 0;

	constructor(options: { readonly atAct: number; readonly before: boolean }) {
		this.#atAct = options.atAct;
		this.#before = options.before;
	}

	/** A death somewhere in the first acts of a process; early ones are likelier. */
	static draw(random: Random): Doom {
		return new Doom({ atAct: 1 + Math.floor(10 ** (2 * random.next())), before: random.next() < 0.5 });
	}

	/** The next act is about to happen; tells whether it does not. */
	strikesBefore(): boolean {
		this.#acts += 1;
		return this.#before && this.#acts >= this.#atAct;
	}

	/** The act has happened; tells whether it was the last. */
	strikesAfter(): boolean {
		return !this.#before && this.#acts >= this.#atAct;
	}
}
