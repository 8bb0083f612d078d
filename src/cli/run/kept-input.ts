import type { RawStreams } from '../streams/raw-streams.ts';

/** How much of the input is kept for another session. */
const MOST_BYTES = 1024 * 1024;

/**
 * Standard input whose start is kept: if a session turns out to have delivered nothing, because its container had ended
 * before, the next session gets all of the input.
 */
export class KeptInput {
	readonly #read: RawStreams['input'];
	#kept: Uint8Array[] = [];
	#keptBytes = 0;

	/** `read` reads standard input. */
	constructor(read: RawStreams['input']) {
		this.#read = read;
	}

	/** Whether all that was read so far is kept. */
	get isWhole(): boolean {
		return this.#keptBytes <= MOST_BYTES;
	}

	/** The input from its start, as {@link RawStreams.input} gives it. */
	async *all(signal: AbortSignal): AsyncIterable<Uint8Array> {
		yield* this.#kept;
		for await (const bytes of this.#read(signal)) {
			this.#keptBytes += bytes.length;
			if (this.isWhole) this.#kept.push(bytes);
			else this.#kept = [];
			yield bytes;
		}
	}
}
