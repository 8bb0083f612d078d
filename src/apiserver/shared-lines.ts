import type { StoredObject } from './stored-object.ts';

/** A generation is closed when its lines have so many bytes: enough for all lines of one moment. */
const GENERATION_BYTES = 512 * 1024;

type Lines = Map<StoredObject, Map<string, Uint8Array>>;

/**
 * The latest lines of watches, each made once for all watches of one format: with a thousand watches, an
 * encoding for each took most of the time between a write and its last delivery. (Upstream:
 * caching_object.go.) Lines are kept for two generations, which bounds them without a list of their use.
 */
export class SharedLines {
	#current: Lines = new Map();
	#previous: Lines = new Map();
	/** Of the current generation. */
	#bytes = 0;

	/** The line that shows `stored` in a form that `variant` names, made by `make` unless it is kept. */
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
