import { isList, isRecord } from '../../base/json/json.ts';
import { quote } from '../../base/quote.ts';

/**
 * Formats a value for an error: strings quoted, everything else as JSON, cut after `maxLength` characters.
 * The time depends on the length of the result, not on the size of the value, which can be 3 MB.
 */
export function showValue(value: unknown, maxLength: number): string {
	if (typeof value === 'string') {
		return value.length <= maxLength ? quote(value) : `${quote(value.slice(0, maxLength))}...`;
	}
	const writer = new ShortJson(maxLength);
	writer.write(value);
	// Go's encoder escapes these three, so that JSON can be embedded in HTML.
	return writer.text.replace(/[<>&]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
}

/** Writes JSON as JSON.stringify does, but stops at the maximum length. */
class ShortJson {
	readonly #maxLength: number;
	#text = '';

	constructor(maxLength: number) {
		this.#maxLength = maxLength;
	}

	get text(): string {
		return this.#isFull ? `${this.#text.slice(0, this.#maxLength)}...` : this.#text;
	}

	get #isFull(): boolean {
		return this.#text.length > this.#maxLength;
	}

	write(value: unknown): void {
		if (isList(value)) this.#writeList(value);
		else if (isRecord(value)) this.#writeRecord(value);
		else this.#writeScalar(value);
	}

	#writeList(list: readonly unknown[]): void {
		this.#text += '[';
		for (const [index, item] of list.entries()) {
			if (this.#isFull) return;
			if (index > 0) this.#text += ',';
			this.write(item);
		}
		this.#text += ']';
	}

	#writeRecord(record: Readonly<Record<string, unknown>>): void {
		this.#text += '{';
		let isFirst = true;
		for (const name in record) {
			if (this.#isFull) return;
			if (record[name] === undefined) continue;
			if (!isFirst) this.#text += ',';
			isFirst = false;
			this.#writeScalar(name);
			this.#text += ':';
			this.write(record[name]);
		}
		this.#text += '}';
	}

	/** Cuts a long string before it is encoded, since encoding 3 MB to show 1000 characters takes time. */
	#writeScalar(value: unknown): void {
		const short = typeof value === 'string' ? value.slice(0, this.#maxLength) : value;
		this.#text += JSON.stringify(short) ?? 'null';
	}
}
