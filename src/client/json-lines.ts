import { parseJson } from '../base/json-reader.ts';

/**
 * Reads JSON values that come one a line, in chunks of bytes cut anywhere, also within a character:
 * the body of a watch.
 */
export class JsonLines {
	readonly #decoder = new TextDecoder();
	#rest = '';

	/** The values whose lines `chunk` completes. Throws a SyntaxError for a line that is not JSON. */
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

	/** Whether bytes are left that no line end has followed. */
	get unfinished(): boolean {
		return this.#rest.trim() !== '';
	}
}
