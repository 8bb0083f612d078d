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

/** A text of `length` characters, each chosen from `alphabet` at random. */
export function randomText(random: Random, alphabet: string, length: number): string {
	let text = '';
	for (let i = 0; i < length; i++) text += alphabet[Math.floor(random.next() * alphabet.length)];
	return text;
}
