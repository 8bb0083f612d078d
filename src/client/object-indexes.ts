import { assert } from '../base/assert.ts';
import { KeyIndex } from './key-index.ts';

/**
 * Indexes by name: each function returns the values under which an object is found; see {@link
 * Informer.indexed}.
 */
export type Indexes<T> = Readonly<Record<string, (object: T) => readonly string[]>>;

/** An index: its function, and the keys of the objects by the values that it returned for them. */
interface ObjectIndex<T> {
	readonly valuesOf: (object: T) => readonly string[];
	readonly keys: KeyIndex;
}

/** The indexes of an informer. */
export class ObjectIndexes<T> {
	readonly #indexes = new Map<string, ObjectIndex<T>>();

	/**
	 * Adds `indexes` over the known objects, each given with its key. A name that exists already must have the same
	 * function.
	 */
	add(indexes: Indexes<T>, known: () => Iterable<readonly [string, T]>): void {
		for (const [name, valuesOf] of Object.entries(indexes)) {
			const existing = this.#indexes.get(name);
			assert(!existing || existing.valuesOf === valuesOf, `the index ${name} exists with another function`);
			if (existing) continue;
			const keys = new KeyIndex();
			for (const [key, object] of known()) for (const value of valuesOf(object)) keys.add(value, key);
			this.#indexes.set(name, { valuesOf, keys });
		}
	}

	/** The keys that the index `name` has under `value`. */
	keys(name: string, value: string): readonly string[] {
		return [...(this.#indexes.get(name)?.keys.keys(value) ?? [])];
	}

	/** Follows a change of the object at `key`. An update that changes none of the values costs no look-up. */
	update(key: string, old: T | undefined, object: T | undefined): void {
		for (const { valuesOf, keys } of this.#indexes.values()) {
			const before = old ? valuesOf(old) : [];
			const now = object ? valuesOf(object) : [];
			for (const value of before) if (!now.includes(value)) keys.remove(value, key);
			for (const value of now) if (!before.includes(value)) keys.add(value, key);
		}
	}
}
