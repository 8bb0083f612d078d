import { badRequest } from '../api/meta/api-error.ts';
import { quote } from '../api/meta/quote.ts';

/** The query of a request, read as upstream reads it. */
export class Query {
	readonly #values: Readonly<Record<string, string>>;

	constructor(values: Readonly<Record<string, string>> = {}) {
		this.#values = values;
	}

	/** The value, or empty text. */
	text(name: string): string {
		return Object.hasOwn(this.#values, name) ? (this.#values[name] ?? '') : '';
	}

	/** Whether the parameter is there, whatever its value. */
	has(name: string): boolean {
		return Object.hasOwn(this.#values, name);
	}

	/** True unless absent, `false` or `0`. */
	flag(name: string): boolean {
		return this.has(name) && !/^(false|0)$/i.test(this.text(name));
	}

	/** The flag, or undefined where it is absent. */
	optionalFlag(name: string): boolean | undefined {
		return this.has(name) ? this.flag(name) : undefined;
	}

	/** The whole number, or undefined where it is absent or empty. Throws BadRequest on anything else. */
	integer(name: string): number | undefined {
		const text = this.text(name);
		if (text === '') return undefined;
		if (!/^[+-]?\d{1,19}$/.test(text)) {
			throw badRequest(`strconv.ParseInt: parsing ${quote(text)}: invalid syntax`);
		}
		return Number(text);
	}
}
