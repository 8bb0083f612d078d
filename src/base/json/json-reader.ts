/**
 * Reads JSON from untrusted clients. JSON.parse is faster, but it loses information that the server needs:
 * the exact value of large numbers, the duplicate keys, and the place and reason of an error. It also has no
 * limits: 3 MB of text can contain a million values, or a million opening brackets.
 *
 * 1. Grammar and error texts are those of Go's encoding/json, with which upstream reads bodies.
 * 2. Time and memory are linear in the text, and depth and number of values are limited.
 * 3. Of duplicate keys the last one counts; if both values are objects, they are merged.
 */

import { isRecord, numberOf, setOwn } from './json.ts';
import { JsonSyntaxError, unexpected } from './json-syntax-error.ts';

export { JsonSyntaxError } from './json-syntax-error.ts';

/** The text exceeds one of the reader's {@link JsonLimits}. */
export class JsonLimitError extends Error {
	override readonly name = 'JsonLimitError';
}

/** The maximum size of a text that a reader accepts. */
export interface JsonLimits {
	/** Maximum number of list items and fields in the whole text. */
	readonly values: number;
	/** Maximum nesting depth of lists and objects. */
	readonly depth: number;
	/** Maximum number of fields of one object, since code that lists them cannot pause. No limit by default. */
	readonly keys?: number;
}

/** The value of a text, and its duplicate keys. */
export interface ReadJson {
	readonly value: unknown;
	/** For each object with duplicate keys: all its keys in the order of the text, with the duplicates. */
	readonly repeated: RepeatedKeys;
}

/** See {@link ReadJson.repeated}. */
export type RepeatedKeys = ReadonlyMap<object, readonly string[]>;

/** For a text without duplicate keys. */
export const NO_REPEATED_KEYS: RepeatedKeys = new Map();

/** Reads `text`, which must be one value. Throws a {@link JsonSyntaxError} or a {@link JsonLimitError}. */
export function readJson(text: string, limits: JsonLimits): ReadJson {
	const reader = new JsonReader(text, limits);
	reader.run(text.length);
	return reader.done();
}

/**
 * As {@link readJson}, but awaits `pause` after each piece, so that a large text does not block the event
 * loop.
 */
export async function readJsonInPieces(
	text: string,
	limits: JsonLimits,
	pause: () => Promise<void>,
): Promise<ReadJson> {
	const reader = new JsonReader(text, limits);
	while (!reader.run(PIECE_LENGTH)) await pause();
	return reader.done();
}

/**
 * Parses JSON from a trusted writer: upstream or this program. As exact as {@link readJson}, and as fast as
 * JSON.parse if the text has no number of 16 digits or more. Throws a SyntaxError.
 */
export function parseJson(text: string): unknown {
	return MAY_BE_INEXACT.test(text) ? readJson(text, NO_LIMITS).value : JSON.parse(text);
}

/**
 * Matches every number that a double may not hold. It also matches digits in a string, which only costs time.
 */
const MAY_BE_INEXACT = /[[:,\s]-?\d{16}/;

/** V8 copies shorter slices. A longer one refers to the text that it was cut from. */
const SLICE_LENGTH = 13;

const NO_LIMITS: JsonLimits = { values: Infinity, depth: Infinity };

/** Characters per piece. Reading a piece of dense JSON takes a few milliseconds. */
const PIECE_LENGTH = 64 * 1024;

/** An object or a list whose end has not been read yet. */
type Frame =
	| { readonly record: Record<string, unknown>; key: string; isDuplicate: boolean; keys: number }
	| { readonly record: undefined; readonly list: unknown[] };

/**
 * A reader that can pause between two values. It has its own stack, so nesting cannot overflow the call
 * stack.
 */
class JsonReader {
	readonly #text: string;
	readonly #limits: JsonLimits;
	readonly #open: Frame[] = [];
	#at = 0;
	#values = 0;
	#result: { readonly value: unknown } | undefined;
	#repeated: Map<object, string[]> | undefined;

	constructor(text: string, limits: JsonLimits) {
		this.#text = text;
		this.#limits = limits;
	}

	/** Reads about `length` more characters; returns whether the value is complete. */
	run(length: number): boolean {
		const pauseAt = this.#at + length;
		while (!this.#result) {
			if (this.#at > pauseAt) return false;
			this.#startValue();
		}
		return true;
	}

	/** The complete value. Throws a {@link JsonSyntaxError} if anything but white space follows it. */
	done(): ReadJson {
		if (this.#next() >= 0) throw this.#unexpected('after top-level value');
		return { value: this.#result?.value, repeated: this.#repeated ?? NO_REPEATED_KEYS };
	}

	/** Reads a scalar, or the opening bracket of an object or a list. */
	#startValue(): void {
		switch (this.#next()) {
			case OPEN_BRACE:
				this.#startObject();
				return;
			case OPEN_BRACKET:
				this.#startList();
				return;
			default:
				this.#endValue(this.#scalar());
		}
	}

	#startObject(): void {
		this.#enter();
		const record = {};
		if (this.#next() === CLOSE_BRACE) this.#endEmpty(record);
		else this.#open.push({ record, key: this.#key(), isDuplicate: false, keys: 1 });
	}

	#startList(): void {
		this.#enter();
		if (this.#next() === CLOSE_BRACKET) {
			this.#endEmpty([]);
			return;
		}
		this.#count();
		this.#open.push({ record: undefined, list: [] });
	}

	/** Adds a complete value to the innermost open object or list, and closes those that end behind it. */
	#endValue(value: unknown): void {
		let complete = value;
		for (;;) {
			const frame = this.#open.at(-1);
			if (frame === undefined) {
				this.#result = { value: complete };
				return;
			}
			if (!frame.record) frame.list.push(complete);
			else if (frame.isDuplicate) putDuplicate(frame.record, frame.key, complete);
			else setOwn(frame.record, frame.key, complete);
			const char = this.#next();
			if (char === COMMA) {
				this.#at++;
				if (frame.record) this.#nextKey(frame);
				else this.#count();
				return;
			}
			if (char !== (frame.record ? CLOSE_BRACE : CLOSE_BRACKET)) {
				throw this.#unexpected(frame.record ? 'after object key:value pair' : 'after array element');
			}
			this.#open.pop();
			this.#at++;
			complete = frame.record ?? frame.list;
		}
	}

	/** Reads the next key of an object. Only a duplicate key makes the reader record the object's keys. */
	#nextKey(frame: Frame & { readonly record: Record<string, unknown> }): void {
		frame.key = this.#key();
		this.#countKey(frame);
		frame.isDuplicate = Object.hasOwn(frame.record, frame.key);
		if (frame.isDuplicate) this.#recordDuplicate(frame.record, frame.key);
		else this.#repeated?.get(frame.record)?.push(frame.key);
	}

	/** Reads a field's name and the colon behind it. */
	#key(): string {
		if (this.#next() !== QUOTE) throw this.#unexpected('looking for beginning of object key string');
		const key = this.#string();
		if (this.#next() !== COLON) throw this.#unexpected('after object key');
		this.#at++;
		this.#count();
		return key;
	}

	#scalar(): unknown {
		const char = this.#text.charCodeAt(this.#at);
		switch (char) {
			case QUOTE:
				return this.#string();
			case LOWER_T:
				return this.#literal('true', true);
			case LOWER_F:
				return this.#literal('false', false);
			case LOWER_N:
				return this.#literal('null', null);
		}
		if (char === MINUS || isDigit(char)) return this.#number();
		throw this.#unexpected('looking for beginning of value');
	}

	#enter(): void {
		// The error of Go's decoder, whose own limit is 10,000.
		if (this.#open.length >= this.#limits.depth) throw new JsonSyntaxError('exceeded max depth', this.#at);
		this.#at++;
	}

	/** Skips the closing bracket of an empty object or list. */
	#endEmpty(value: unknown): void {
		this.#at++;
		this.#endValue(value);
	}

	#count(): void {
		if (++this.#values > this.#limits.values) {
			throw new JsonLimitError(`more than ${this.#limits.values} values`);
		}
	}

	#countKey(frame: { keys: number }): void {
		const { keys = Infinity } = this.#limits;
		if (++frame.keys > keys) throw new JsonLimitError(`more than ${keys} fields in one object`);
	}

	#recordDuplicate(record: object, key: string): void {
		this.#repeated ??= new Map();
		const keys = this.#repeated.get(record) ?? Object.keys(record);
		keys.push(key);
		this.#repeated.set(record, keys);
	}

	#literal<T>(word: string, value: T): T {
		for (let index = 1; index < word.length; index++) {
			this.#at++;
			if (this.#text[this.#at] !== word[index]) {
				throw this.#unexpected(`in literal ${word} (expecting '${word[index]}')`);
			}
		}
		this.#at++;
		return value;
	}

	/** Reads a number by JSON's grammar, which is stricter than JavaScript's Number(). */
	#number(): unknown {
		const text = this.#text;
		const start = this.#at;
		if (text.charCodeAt(this.#at) === MINUS) this.#at++;
		if (text.charCodeAt(this.#at) === ZERO) this.#at++;
		else this.#digits('in numeric literal');
		if (text.charCodeAt(this.#at) === POINT) {
			this.#at++;
			this.#digits('after decimal point in numeric literal');
		}
		const char = text.charCodeAt(this.#at);
		if (char === LOWER_E || char === UPPER_E) {
			this.#at++;
			const sign = text.charCodeAt(this.#at);
			if (sign === PLUS || sign === MINUS) this.#at++;
			this.#digits('in exponent of numeric literal');
		}
		return numberOf(text.slice(start, this.#at));
	}

	#digits(context: string): void {
		const start = this.#at;
		while (isDigit(this.#text.charCodeAt(this.#at))) this.#at++;
		if (this.#at === start) throw this.#unexpected(context);
	}

	/** Reads a string; the reader is at its opening quote. */
	#string(): string {
		const text = this.#text;
		const start = this.#at;
		let escaped = false;
		for (this.#at++; ; this.#at++) {
			const char = text.charCodeAt(this.#at);
			if (char === QUOTE) break;
			if (char === BACKSLASH) {
				escaped = true;
				this.#escape();
			} else if (!(char >= 0x20)) throw this.#unexpected('in string literal'); // NaN at the end
		}
		this.#at++;
		if (!escaped && this.#at - start < SLICE_LENGTH) return text.slice(start + 1, this.#at - 1);
		// JSON.parse copies. A slice of V8 would keep the whole text in memory for as long as the string.
		if (!escaped) return String(JSON.parse(text.slice(start, this.#at)));
		// A lone surrogate is no character: Go replaces it with the replacement character.
		return String(JSON.parse(text.slice(start, this.#at))).toWellFormed();
	}

	/** Moves to the last character of an escape; the reader is at its backslash. */
	#escape(): void {
		const text = this.#text;
		this.#at++;
		const char = text[this.#at];
		if (char === undefined || !'"\\/bfnrtu'.includes(char)) throw this.#unexpected('in string escape code');
		if (char !== 'u') return;
		for (let digit = 0; digit < 4; digit++) {
			this.#at++;
			if (!isHexDigit(text.charCodeAt(this.#at))) {
				throw this.#unexpected('in \\u hexadecimal character escape');
			}
		}
	}

	/** Moves to the next character that is not white space, and returns it; NaN at the end of the text. */
	#next(): number {
		for (;;) {
			const char = this.#text.charCodeAt(this.#at);
			if (char !== 0x20 && char !== 0x0a && char !== 0x0d && char !== 0x09) return char;
			this.#at++;
		}
	}

	#unexpected(context: string): JsonSyntaxError {
		return unexpected(this.#text, this.#at, context);
	}
}

/**
 * Sets the value of a duplicate key. The last value counts, but Go decodes two objects into the same map, so
 * that the second is merged into the first. The merge changes the first object in place: a copy for each
 * duplicate would take quadratic time.
 */
function putDuplicate(record: Record<string, unknown>, key: string, value: unknown): void {
	const before = record[key];
	if (!isRecord(before) || !isRecord(value)) {
		setOwn(record, key, value);
		return;
	}
	const target: Record<string, unknown> = before;
	for (const name in value) {
		if (Object.hasOwn(target, name)) putDuplicate(target, name, value[name]);
		else setOwn(target, name, value[name]);
	}
}

const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const UPPER_E = 0x45;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const LOWER_E = 0x65;
const LOWER_F = 0x66;
const LOWER_N = 0x6e;
const LOWER_T = 0x74;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

function isDigit(char: number): boolean {
	return char >= 0x30 && char <= 0x39;
}

function isHexDigit(char: number): boolean {
	return isDigit(char) || (char >= 0x41 && char <= 0x46) || (char >= 0x61 && char <= 0x66);
}
