import type { StoredObject } from '../storage/stored-object.ts';

/**
 * A generation ends at this many bytes of lines: enough for the lines that all watches need at one moment.
 */
const GENERATION_BYTES = 512 * 1024;

type Lines = Map<StoredObject, Map<string, Uint8Array>>;

/**
 * Cache of the latest lines of watches. Each line is encoded once for all watches with the same format: with
 * a thousand watches, encoding it for each took most of the time between a write and the last delivery
 * (upstream: caching_object.go). Lines are kept for two generations. That bounds the memory without tracking
 * when each line was last used.
 */
export class SharedLines {
	#current: Lines = new Map();
	#previous: Lines = new Map();
	/** Bytes in the current generation. */
	#bytes = 0;

	/** Returns the line of `stored` in the form that `variant` names; calls `make` if it is not cached. */
	get(stored: StoredObject, variant: string, make: () => Uint8Array): Uint8Array {
		const known = this.#current.get(stored)?.get(variant) ?? this.#previous.get(stored)?.get(variant);
		if (known) return known;
		const line = make();
		const variants = this.#current.get(stored);
		if (variants) variants.set(variant, line);
		else this.#current.set(stored, new Map([[variant, line]]));
		this.#bytes += line.length;
		if (this.#bytes >= GENERATION_BYTES) this.#closeGeneration();
		return line;
	}

	#closeGeneration(): void {
		this.#previous = this.#current;
		this.#current = new Map();
		this.#bytes = 0;
	}
}
