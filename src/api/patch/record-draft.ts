import { type JsonRecord, own } from '../../base/json/json.ts';

/**
 * A copy-on-write object: it copies its base at the first change. Changes go through a Map, since clients
 * choose the keys, and assigning to `__proto__` would set the prototype instead of a field.
 */
export class RecordDraft {
	readonly #base: JsonRecord;
	#entries: Map<string, unknown> | undefined;

	constructor(base: JsonRecord) {
		this.#base = base;
	}

	has(key: string): boolean {
		return this.#entries ? this.#entries.has(key) : Object.hasOwn(this.#base, key);
	}

	get(key: string): unknown {
		return this.#entries ? this.#entries.get(key) : own(this.#base, key);
	}

	keys(): readonly string[] {
		return this.#entries ? [...this.#entries.keys()] : Object.keys(this.#base);
	}

	/** Sets the field. Does nothing if it already has this value, by identity. */
	set(key: string, value: unknown): void {
		if (this.has(key) && this.get(key) === value) return;
		this.#own().set(key, value);
	}

	delete(key: string): void {
		if (this.has(key)) this.#own().delete(key);
	}

	/** Returns the object: the base itself if nothing has changed. */
	done(): JsonRecord {
		return this.#entries ? Object.fromEntries(this.#entries) : this.#base;
	}

	#own(): Map<string, unknown> {
		this.#entries ??= new Map(Object.entries(this.#base));
		return this.#entries;
	}
}
