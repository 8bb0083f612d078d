/** How much a read may find; what is not given is not limited. */
export interface ReadLimits {
	/** At most so many. */
	readonly limit?: number;
	/**
	 * The read ends with what brings the values to so many bytes: it finds at least one, however large. A read
	 * may hold its caller for as long as it takes to copy them.
	 */
	readonly bytes?: number;
}

/** Counts what a read has found. */
export class ReadLimit {
	readonly #limits: ReadLimits;
	#found = 0;
	#bytes = 0;

	constructor(limits: ReadLimits) {
		this.#limits = limits;
	}

	/** If true, the read must not find more. */
	get isReached(): boolean {
		const { limit = Infinity, bytes = Infinity } = this.#limits;
		return this.#found >= limit || this.#bytes >= bytes;
	}

	/** Counts one that has been found, with the bytes of its values. */
	count(bytes: number): void {
		this.#found += 1;
		this.#bytes += bytes;
	}
}
