import type { Clock } from '../base/clock.ts';

const NANOS_PER_MS = 1_000_000n;
/** Maximum difference between the counter and the clock before the counter is set again. */
const FURTHEST_APART_MS = 2n;

/**
 * The time of day with nanoseconds, as CRI logs state it. The clock has milliseconds only, so a monotonic counter of
 * nanoseconds supplies the digits below. It is set to the clock again when the two differ by more than 2 ms, as
 * after the clock was set.
 */
export class LogTime {
	readonly #clock: Clock;
	readonly #counter: () => bigint;
	/** The counter plus this offset gives nanoseconds since the epoch. */
	#offset: bigint;
	#second = -1n;
	#prefix = '';

	/** `counter` returns a monotonic count of nanoseconds, from any starting point. */
	constructor(clock: Clock, counter: () => bigint) {
		this.#clock = clock;
		this.#counter = counter;
		this.#offset = BigInt(clock.now()) * NANOS_PER_MS - counter();
	}

	/** Now in RFC 3339 with nine digits, in UTC: `2026-01-31T08:00:00.123456789Z`. */
	stamp(): string {
		const nanos = this.#nanos();
		const second = nanos / 1_000_000_000n;
		if (second !== this.#second) {
			this.#second = second;
			this.#prefix = new Date(Number(second) * 1000).toISOString().slice(0, 20);
		}
		return `${this.#prefix}${String(nanos % 1_000_000_000n).padStart(9, '0')}Z`;
	}

	#nanos(): bigint {
		const count = this.#counter();
		const clockMs = BigInt(this.#clock.now());
		const apart = (count + this.#offset) / NANOS_PER_MS - clockMs;
		if (apart > FURTHEST_APART_MS || apart < -FURTHEST_APART_MS) {
			this.#offset = clockMs * NANOS_PER_MS - count;
		}
		return count + this.#offset;
	}
}
