/** Limits of a read. An absent one does not limit. */
export interface ReadLimits {
	/** Maximum number of entries or changes. */
	readonly limit?: number;
	/**
	 * The read ends with the entry or change whose values reach this number of bytes in total, so it returns at
	 * least one of any size. Copying the values blocks the event loop, so this bounds how long a read does.
	 */
	readonly bytes?: number;
}

/** Counts the results of a read against its limits. */
export class ReadLimit {
	readonly #limits: ReadLimits;
	#found = 0;
	#bytes = 0;

	constructor(limits: ReadLimits) {
		this.#limits = limits;
	}

	/** Whether the read must end now. */
	get isReached(): boolean {
		const { limit = Infinity, bytes = Infinity } = this.#limits;
		return this.#found >= limit || this.#bytes >= bytes;
	}

	/** Counts one result with the number of bytes in its values. */
	count(bytes: number): void {
		this.#found += 1;
		this.#bytes += bytes;
	}
}
