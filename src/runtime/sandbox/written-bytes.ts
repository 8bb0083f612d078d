/** What containers have written to their root file systems, measured as rarely as its cost asks for. */
import type { Clock } from '../../base/clock.ts';
import { ConcurrencyLimit } from '../../base/queue/concurrency-limit.ts';

/** What the measurement depends on. */
export interface WrittenBytesOptions {
	readonly clock: Clock;
	/** The bytes that a container has written. */
	measure(id: string): Promise<number>;
}

/** How old a measurement may be, as the period in which evictions are decided. */
const LEAST_PERIOD_MS = 10_000;
/** Measurements take at most this part of the time: a folder of a million files is measured rarely. */
const LARGEST_SHARE = 0.05;
/** How many folders are measured at a time. */
const CONCURRENT = 2;

interface Measured {
	readonly bytes: Promise<number>;
	/** When it is measured again, by the monotonic clock; undefined while it is measured. */
	dueAt: number | undefined;
}

/** See the header of this file. */
export class WrittenBytes {
	readonly #options: WrittenBytesOptions;
	readonly #limit = new ConcurrencyLimit(CONCURRENT);
	readonly #measured = new Map<string, Measured>();

	constructor(options: WrittenBytesOptions) {
		this.#options = options;
	}

	/** The bytes that a container has written, by a measurement that is recent, or that takes place now. */
	async of(id: string): Promise<number> {
		const { clock } = this.#options;
		const last = this.#measured.get(id);
		if (last && (last.dueAt === undefined || clock.monotonic() < last.dueAt)) return await last.bytes;
		const measured: Measured = { bytes: this.#limit.run(() => this.#measure(id)), dueAt: undefined };
		this.#measured.set(id, measured);
		return await measured.bytes;
	}

	/** Forgets containers. */
	forget(ids: readonly string[]): void {
		for (const id of ids) this.#measured.delete(id);
	}

	async #measure(id: string): Promise<number> {
		const { clock, measure } = this.#options;
		const startedAt = clock.monotonic();
		try {
			return await measure(id);
		} finally {
			const endedAt = clock.monotonic();
			const measured = this.#measured.get(id);
			const pauseMs = Math.max(LEAST_PERIOD_MS, (endedAt - startedAt) / LARGEST_SHARE);
			if (measured) measured.dueAt = endedAt + pauseMs;
		}
	}
}
