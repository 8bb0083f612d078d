/** JSON values as patches see them: never changed, new ones share what they do not change. */

/** A JSON object. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/** Whether the value is a JSON object. */
export function isRecord(value: unknown): value is JsonRecord {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether the value is a JSON list. */
export function isList(value: unknown): value is readonly unknown[] {
	return Array.isArray(value);
}

/** The value at `key`, if it is the object's own: `toString` is no field unless the JSON says so. */
export function own(record: JsonRecord | undefined, key: string): unknown {
	return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}

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
