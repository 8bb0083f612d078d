/**
 * Exact JSON values. JSON.parse reads every number as a double, which changes 9007199254740993 into
 * 9007199254740992; here a number keeps its value even if a double cannot hold it.
 *
 * 1. A 64-bit integer is a `number` if that is exact (up to 2^53 - 1) and a `bigint` otherwise. Each value
 *    has only one of the two forms, so `===` compares them. Any other number that a double would write
 *    differently (`1.0`, `1e3`, 30 digits) is a {@link JsonNumber}.
 * 2. JSON.stringify writes all three forms as they were read, wherever in the program it is called.
 */

declare global {
	interface JSON {
		/** Makes JSON.stringify write `text` unchanged. TypeScript's library does not declare it yet. */
		rawJSON(text: string): unknown;
	}
	interface BigInt {
		toJSON(): unknown;
	}
}

// JSON.stringify throws a TypeError on a bigint without a toJSON method, so a client that sends a large number
// would cause an internal error.
BigInt.prototype.toJSON = function (this: bigint): unknown {
	return JSON.rawJSON(this.toString());
};

/** A 64-bit integer: a bigint if a double would change its value. See the header. */
export type Int64 = number | bigint;

/** A JSON object. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/** A number that is kept as text because a double would not be written the same way. */
export class JsonNumber {
	readonly source: string;

	constructor(source: string) {
		this.source = source;
	}

	toJSON(): unknown {
		return JSON.rawJSON(this.source);
	}

	/** Printers that format values with `String` write the number, too. */
	toString(): string {
		return this.source;
	}
}

/** Whether the value is a JSON object, and not null, a list or a {@link JsonNumber}. */
export function isRecord(value: unknown): value is JsonRecord {
	return (
		typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber)
	);
}

/** Whether the value is a JSON list. */
export function isList(value: unknown): value is readonly unknown[] {
	return Array.isArray(value);
}

/** The number of list items and fields in the whole of `json`; counting stops soon after it exceeds `limit`. */
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

/** The value of the object's own field `key`: an inherited property such as `toString` is not a field. */
export function own(record: JsonRecord | undefined, key: string): unknown {
	return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}

/**
 * The value at `key` of a map whose keys come from users, such as labels. `map[key]` would also find the
 * properties that every JavaScript object inherits, such as `constructor`.
 */
export function entryOf<T>(map: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
	return map !== undefined && Object.hasOwn(map, key) ? map[key] : undefined;
}

/** Sets a field of any name. An assignment to `__proto__` would set the prototype and create no field. */
export function setOwn(record: Record<string, unknown>, key: string, value: unknown): void {
	if (key !== '__proto__') record[key] = value;
	else Object.defineProperty(record, key, { value, enumerable: true, configurable: true, writable: true });
}

/** The value of `source`, which must be a number by JSON's grammar, in the form that the header describes. */
export function numberOf(source: string): number | bigint | JsonNumber {
	const number = Number(source);
	const isSame = String(number) === source || source === '-0';
	// An integer beyond 2^53 is a bigint even if a double holds it exactly, so that it has one form (rule 1).
	if (isSame && (Number.isSafeInteger(number) || /[.eE]/.test(source))) return number;
	return parseInt64(source) ?? new JsonNumber(source);
}

/** The number as JSON writes it; undefined if `value` is not a number. */
export function numberText(value: unknown): string | undefined {
	if (typeof value === 'number' || typeof value === 'bigint') return String(value);
	return value instanceof JsonNumber ? value.source : undefined;
}

/** Parses a decimal integer; undefined if `text` is none or exceeds 64 bits. */
export function parseInt64(text: string): Int64 | undefined {
	if (text.length > MAX_INT64_LENGTH || !/^[+-]?\d+$/.test(text)) return undefined;
	const whole = BigInt(text.startsWith('+') ? text.slice(1) : text);
	return BigInt.asIntN(64, whole) === whole ? int64Of(whole) : undefined;
}

/** The digits of the largest 64-bit integer, and a sign. A longer text would take quadratic time to convert. */
const MAX_INT64_LENGTH = 20;

/** The number in the form of rule 1. Bits beyond the lower 64 are dropped, as in Go's conversions. */
export function int64Of(value: bigint): Int64 {
	const cut = BigInt.asIntN(64, value);
	const number = Number(cut);
	return Number.isSafeInteger(number) ? number : cut;
}

/** The next integer; after the largest 64-bit integer the smallest, as in Go. */
export function successor(value: Int64): Int64 {
	return int64Of(BigInt(value) + 1n);
}

/** The nearest double, which is exact up to 2^53: for durations and comparisons. */
export function approximate(value: Int64): number {
	return typeof value === 'number' ? value : Number(value);
}
