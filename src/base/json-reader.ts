import { isRecord, numberOf, setOwn } from './json.ts';

/**
 * Reads JSON that a stranger sent. JSON.parse would do it faster, but it loses what a server needs: the
 * exact value of large numbers, which keys stand twice, and an error that says where and why. It also
 * has no bounds: 3 MB of text can hold a million values, and 1,000,000 opening brackets.
 *
 * 1. Grammar and error texts are those of Go's encoding/json, which upstream reads bodies with.
 * 2. Time and memory are linear in the text, and depth and number of values are limited.
 * 3. Of keys that stand twice the last one counts; two objects under one key are merged.
 */

/** The text is not JSON; the message is that of Go's decoder. */
export class JsonSyntaxError extends SyntaxError {
	override readonly name = 'JsonSyntaxError';
	/** Where in the text, in UTF-16 units. */
	readonly offset: number;

	constructor(message: string, offset: number) {
		super(message);
		this.offset = offset;
	}
}

/** The text has more in it than the reader was told to accept. */
export class JsonLimitError extends Error {
	override readonly name = 'JsonLimitError';
}

/** What a reader accepts. */
export interface JsonLimits {
	/** The number of list items and fields, counted over the whole text. */
	readonly values: number;
	/** How deep lists and objects may be nested. */
	readonly depth: number;
	/** The number of fields of one object: listing those of a large one cannot pause. No limit by default. */
	readonly keys?: number;
}

/** What a text holds. */
export interface ReadJson {
	readonly value: unknown;
	/** Of each object that has keys more than once: all its keys in order, the repeated ones repeated. */
	readonly repeated: RepeatedKeys;
}

/** See {@link ReadJson.repeated}. */
export type RepeatedKeys = ReadonlyMap<object, readonly string[]>;

/** No object with keys that stand twice. */
export const NO_REPEATED_KEYS: RepeatedKeys = new Map();

/** Reads the one value that `text` is. Throws a {@link JsonSyntaxError} or a {@link JsonLimitError}. */
export function readJson(text: string, limits: JsonLimits): ReadJson {
	const reader = new JsonReader(text, limits);
	reader.run(text.length);
	return reader.done();
}

/** The same in pieces: `pause` is awaited after each, so that a large text does not hold the event loop. */
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
 * Parses JSON that upstream or this program wrote: exact like the above, at the speed of JSON.parse where
 * no number needs care. Throws a SyntaxError.
 */
export function parseJson(text: string): unknown {
	return MAY_BE_INEXACT.test(text) ? readJson(text, NO_LIMITS).value : JSON.parse(text);
}

/** What may be a number that a double does not hold: also digits in a string, which only costs time. */
const MAY_BE_INEXACT = /[[:,\s]-?\d{16}/;

const NO_LIMITS: JsonLimits = { values: Infinity, depth: Infinity };

/** Dense JSON of this length takes some milliseconds. */
const PIECE_LENGTH = 64 * 1024;

/** An object or a list that is being read. */
type Frame =
	| { readonly record: Record<string, unknown>; key: string; again: boolean; keys: number }
	| { readonly record: undefined; readonly list: unknown[] };

/** A reader that can stop between two values. It keeps its own stack, so depth costs no stack of calls. */
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

	/** Reads on for about `length` characters; returns whether the value is complete. */
	run(length: number): boolean {
		const pauseAt = this.#at + length;
		while (!this.#result) {
			if (this.#at > pauseAt) return false;
			this.#beginValue();
		}
		return true;
	}

	/** What was read, once it is complete. Throws a {@link JsonSyntaxError} if more than spaces follow. */
	done(): ReadJson {
		if (this.#next() >= 0) throw this.#unexpected('after top-level value');
		return { value: this.#result?.value, repeated: this.#repeated ?? NO_REPEATED_KEYS };
	}

	/** Reads a value, or the beginning of one that holds others. */
	#beginValue(): void {
		switch (this.#next()) {
			case OPEN_BRACE:
				this.#beginObject();
				return;
			case OPEN_BRACKET:
				this.#beginList();
				return;
			default:
				this.#endValue(this.#scalar());
		}
	}

	#beginObject(): void {
		this.#enter();
		const record = {};
		if (this.#next() === CLOSE_BRACE) this.#endEmpty(record);
		else this.#open.push({ record, key: this.#key(), again: false, keys: 1 });
	}

	#beginList(): void {
		this.#enter();
		if (this.#next() === CLOSE_BRACKET) {
			this.#endEmpty([]);
			return;
		}
		this.#count();
		this.#open.push({ record: undefined, list: [] });
	}

	/** Puts a complete value where it belongs, and closes what ends behind it. */
	#endValue(value: unknown): void {
		let complete = value;
		for (;;) {
			const frame = this.#open.at(-1);
			if (frame === undefined) {
				this.#result = { value: complete };
				return;
			}
			if (!frame.record) frame.list.push(complete);
			else if (frame.again) putAgain(frame.record, frame.key, complete);
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

	#nextKey(frame: Frame & { readonly record: Record<string, unknown> }): void {
		frame.key = this.#key();
		this.#countKey(frame);
		frame.again = Object.hasOwn(frame.record, frame.key);
		if (frame.again) this.#repeat(frame.record, frame.key);
		else this.#repeated?.get(frame.record)?.push(frame.key);
	}

	/** A field's name and the colon behind it. */
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
		// Go has this error too, at 10,000.
		if (this.#open.length >= this.#limits.depth) throw new JsonSyntaxError('exceeded max depth', this.#at);
		this.#at++;
	}

	/** Passes over the bracket that closes what has just been opened. */
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

	#repeat(record: object, key: string): void {
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

	/** The text from the quote at which the reader stands to the one that ends it. */
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
		if (!escaped) return text.slice(start + 1, this.#at - 1);
		// Half of a surrogate pair is no character: as Go does, the replacement character stands for it.
		return String(JSON.parse(text.slice(start, this.#at))).toWellFormed();
	}

	/** Moves to the last character of the escape whose backslash the reader stands at. */
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

	/** The next character that is no space, at which the reader stands then; NaN at the end. */
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
 * The value of a key that stands twice: the last one, but Go decodes two objects one after the other into
 * the same place, so that the second adds to the first. (Added in place: with a copy for each repetition,
 * the time would be quadratic.)
 */
function putAgain(record: Record<string, unknown>, key: string, value: unknown): void {
	const before = record[key];
	if (!isRecord(before) || !isRecord(value)) {
		setOwn(record, key, value);
		return;
	}
	const target: Record<string, unknown> = before;
	for (const name in value) {
		if (Object.hasOwn(target, name)) putAgain(target, name, value[name]);
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

function unexpected(text: string, at: number, context: string): JsonSyntaxError {
	if (at < text.length) {
		return new JsonSyntaxError(`invalid character ${shownCharacter(text, at)} ${context}`, at);
	}
	// Go puts a space behind the text, which ends what may end there and is an error inside a word or number.
	const message = SPACE_IS_WRONG.test(context)
		? `invalid character ' ' ${context}`
		: 'unexpected end of JSON input';
	return new JsonSyntaxError(message, at);
}

const SPACE_IS_WRONG = /numeric literal$|^in literal|escape/;

/** Go reads byte by byte and shows the one that it met as a character: of `é` the first byte, `Ã`. */
function shownCharacter(text: string, at: number): string {
	const code = text.codePointAt(at) ?? 0;
	const byte = code < 0x80 ? code : (new TextEncoder().encode(String.fromCodePoint(code))[0] ?? 0);
	if (byte === 0x27) return "'\\''";
	if (byte >= 0x20 && byte !== 0x5c && byte !== 0x7f && !(byte >= 0x80 && byte <= 0xa0) && byte !== 0xad) {
		return `'${String.fromCharCode(byte)}'`;
	}
	const short = SHORT_ESCAPES[byte];
	if (short !== undefined) return `'${short}'`;
	return byte < 0x80
		? `'\\x${byte.toString(16).padStart(2, '0')}'`
		: `'\\u${byte.toString(16).padStart(4, '0')}'`;
}

const SHORT_ESCAPES: Readonly<Record<number, string>> = {
	7: '\\a',
	8: '\\b',
	9: '\\t',
	10: '\\n',
	11: '\\v',
	12: '\\f',
	13: '\\r',
	92: '\\\\',
};
