import { badRequest } from '../api/errors/api-error.ts';
import { approximate, type Int64, parseInt64 } from '../base/json/json.ts';
import { quote } from '../base/quote.ts';

/** The values by parameter: several if it occurs more than once. */
export type QueryValues = Readonly<Record<string, string | readonly string[]>>;

/** The query parameters of a request, with upstream's rules for flags and numbers. */
export class Query {
	readonly #values: QueryValues;

	constructor(values: QueryValues = {}) {
		this.#values = values;
	}

	/** The value, or the first of several; empty if the parameter is absent. */
	text(name: string): string {
		return this.texts(name)[0] ?? '';
	}

	/** All values, in their order. */
	texts(name: string): readonly string[] {
		const value = Object.hasOwn(this.#values, name) ? this.#values[name] : undefined;
		return typeof value === 'string' ? [value] : (value ?? []);
	}

	/** Whether the parameter is present, whatever its value. */
	has(name: string): boolean {
		return Object.hasOwn(this.#values, name);
	}

	/** True unless absent, `false` or `0`. */
	flag(name: string): boolean {
		return this.has(name) && !/^(false|0)$/i.test(this.text(name));
	}

	/** The flag; undefined if it is absent. */
	optionalFlag(name: string): boolean | undefined {
		return this.has(name) ? this.flag(name) : undefined;
	}

	/** The signed 64-bit integer; undefined if it is absent or empty. Throws BadRequest for other text. */
	int64(name: string): Int64 | undefined {
		const text = this.text(name);
		if (text === '') return undefined;
		const value = parseInt64(text);
		if (value !== undefined) return value;
		const problem = /^[+-]?\d+$/.test(text) ? 'value out of range' : 'invalid syntax';
		throw badRequest(`strconv.ParseInt: parsing ${quote(text)}: ${problem}`);
	}

	/** The same as a double, which is exact up to 2^53: for values that are only counted and compared. */
	integer(name: string): number | undefined {
		const value = this.int64(name);
		return value === undefined ? undefined : approximate(value);
	}
}
