import { type JsonRecord, own } from '../../base/json.ts';

/**
 * A copy of an object under construction, made at the first change. Keys come from users, and
 * assigning to `__proto__` would not make a field; so changes go through a Map.
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

	/** Sets the field; nothing changes where it has this very value already. */
	set(key: string, value: unknown): void {
		if (this.has(key) && this.get(key) === value) return;
		this.#own().set(key, value);
	}

	delete(key: string): void {
		if (this.has(key)) this.#own().delete(key);
	}

	/** The object: the base itself where nothing changed. */
	done(): JsonRecord {
		return this.#entries ? Object.fromEntries(this.#entries) : this.#base;
	}

	#own(): Map<string, unknown> {
		this.#entries ??= new Map(Object.entries(this.#base));
		return this.#entries;
	}
}
