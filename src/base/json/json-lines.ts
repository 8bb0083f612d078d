import { parseJson } from './json-reader.ts';

/**
 * Parses newline-delimited JSON, which is the body of a watch, from chunks of bytes. A chunk may end anywhere,
 * even inside a character.
 */
export class JsonLines {
	readonly #decoder = new TextDecoder();
	#rest = '';

	/** The values of the lines that `chunk` completes. Throws a SyntaxError for a line that is not JSON. */
	push(chunk: Uint8Array): readonly unknown[] {
		const lines = this.#decoder.decode(chunk, { stream: true }).split('\n');
		const [first = '', ...others] = lines;
		this.#rest += first;
		if (others.length === 0) return [];
		const last = others.pop() ?? '';
		const complete = [this.#rest, ...others];
		this.#rest = last;
		return complete.filter((line) => line.trim() !== '').map((line) => parseJson(line));
	}

	/** Whether there is an incomplete line, which means that the connection broke. */
	get unfinished(): boolean {
		return this.#rest.trim() !== '';
	}
}
