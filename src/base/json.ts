/**
 * JSON values, exactly as their text says: JSON.parse reads every number as a double, which changes
 * 9007199254740993 into 9007199254740992. Here a number that a double does not hold keeps its value.
 *
 * 1. A whole number of 64 bits is a `number` where that is exact and a `bigint` beyond, never both: so
 *    `===` compares two of them. Any other number whose text a double does not give back (`1.0`, `1e3`,
 *    30 digits) is a {@link JsonNumber}.
 * 2. JSON.stringify writes all three as they were read, wherever in the program it is called.
 */

declare global {
	interface JSON {
		/** Makes JSON.stringify write `text` as it is. (TypeScript's library does not have it yet.) */
		rawJSON(text: string): unknown;
	}
	interface BigInt {
		toJSON(): unknown;
	}
}

// Without it JSON.stringify throws a TypeError on a bigint, which a client could reach by sending one.
BigInt.prototype.toJSON = function (this: bigint): unknown {
	return JSON.rawJSON(this.toString());
};

/** A whole number of 64 bits: a bigint where a double would change its value. See the header. */
export type Int64 = number | bigint;

/** A JSON object. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/** A number whose text is more than its value as a double, kept as text. */
export class JsonNumber {
	readonly source: string;

	constructor(source: string) {
		this.source = source;
	}

	toJSON(): unknown {
		return JSON.rawJSON(this.source);
	}
}

/** Whether the value is a JSON object: not null, a list or a number. */
export function isRecord(value: unknown): value is JsonRecord {
	return (
		typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber)
	);
}

/** Whether the value is a JSON list. */
export function isList(value: unknown): value is readonly unknown[] {
	return Array.isArray(value);
}

/** How many list items and fields `json` holds, counted over the whole of it until there are more than `limit`. */
export function countValues(json: unknown, limit: number): number {
	let count = 0;
	const open: unknown[] = [json];
	for (let value = open.pop(); value !== undefined; value = open.pop()) {
		const parts = isList(value) ? value : isRecord(value) ? Object.values(value) : [];
		count += parts.length;
		if (count > limit) break;
		for (const part of parts) if (typeof part === 'object' && part !== null) open.push(part);
	}
	return count;
}

/** The value at `key`, if it is the object's own: `toString` is no field unless the JSON says so. */
export function own(record: JsonRecord | undefined, key: string): unknown {
	return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}

/**
 * The value at `key` of a map whose keys come from users, such as labels: `constructor` and `toString` are
 * no entries unless the map has them. (`map[key]` finds what every JavaScript object inherits.)
 */
export function entryOf<T>(map: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
	return map !== undefined && Object.hasOwn(map, key) ? map[key] : undefined;
}

/** Sets a field whatever its name: an assignment to `__proto__` would make none. */
export function setOwn(record: Record<string, unknown>, key: string, value: unknown): void {
	if (key !== '__proto__') record[key] = value;
	else Object.defineProperty(record, key, { value, enumerable: true, configurable: true, writable: true });
}

/** The number that `source`, a number of JSON's grammar, stands for; see the header. */
export function numberOf(source: string): number | bigint | JsonNumber {
	const number = Number(source);
	const isSame = String(number) === source || source === '-0';
	// Beyond 2^53 a whole number is a bigint, also one that a double happens to hold.
	if (isSame && (Number.isSafeInteger(number) || /[.eE]/.test(source))) return number;
	return parseInt64(source) ?? new JsonNumber(source);
}

/** The number as JSON writes it; undefined of what is no number. */
export function numberText(value: unknown): string | undefined {
	if (typeof value === 'number' || typeof value === 'bigint') return String(value);
	return value instanceof JsonNumber ? value.source : undefined;
}

/** The whole number of 64 bits that decimal digits stand for; undefined where they are none. */
export function parseInt64(text: string): Int64 | undefined {
	if (text.length > MAX_INT64_LENGTH || !/^[+-]?\d+$/.test(text)) return undefined;
	const whole = BigInt(text.startsWith('+') ? text.slice(1) : text);
	return BigInt.asIntN(64, whole) === whole ? int64Of(whole) : undefined;
}

/** Digits of the largest number of 64 bits, and a sign. */
const MAX_INT64_LENGTH = 20;

/** The number in the one form that `===` compares; of more than 64 bits the upper ones are cut off, as in Go. */
export function int64Of(value: bigint): Int64 {
	const cut = BigInt.asIntN(64, value);
	const number = Number(cut);
	return Number.isSafeInteger(number) ? number : cut;
}

/** The next whole number. */
export function successor(value: Int64): Int64 {
	return int64Of(BigInt(value) + 1n);
}

/** The number as a double, the nearest one where it is beyond 2^53: for durations and comparisons. */
export function approximate(value: Int64): number {
	return typeof value === 'number' ? value : Number(value);
}
