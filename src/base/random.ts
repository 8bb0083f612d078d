/**
 * Randomness as a dependency. A component that generates a name, an id or a jitter receives a
 * {@link Random}, so that a run of the simulation can be repeated from its seed.
 */

/** A source of random values. */
export interface Random {
	/** A number in [0, 1), evenly distributed. */
	next(): number;
	/** A version 4 UUID in its text form: 36 lower-case characters with hyphens. */
	uuid(): string;
}

/** The platform's random generators. Only the UUIDs are cryptographically random. */
export class SystemRandom implements Random {
	next(): number {
		return Math.random();
	}

	uuid(): string {
		return globalThis.crypto.randomUUID();
	}
}

/** A small generator with a seed (mulberry32), for tests and the simulation; never for secrets. */
export class SeededRandom implements Random {
	#state: number;

	constructor(seed: number) {
		this.#state = seed >>> 0;
	}

	next(): number {
		this.#state = (this.#state + 0x6d2b79f5) >>> 0;
		let mixed = this.#state;
		mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	}

	uuid(): string {
		const hex = Array.from({ length: 32 }, () => Math.floor(this.next() * 16).toString(16)).join('');
		const variant = '89ab'[Math.floor(this.next() * 4)];
		return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
	}
}

/** A text of `length` characters, each chosen from `alphabet` at random. */
export function randomText(random: Random, alphabet: string, length: number): string {
	let text = '';
	for (let i = 0; i < length; i++) text += alphabet[Math.floor(random.next() * alphabet.length)];
	return text;
}
