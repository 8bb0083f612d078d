import type { Clock } from '../../base/clock.ts';

const NANOS_PER_MS = 1_000_000n;
const FURTHEST_APART_MS = 2n;

/**
 * The time of day with nanoseconds, as logs state it. The clock knows milliseconds only, so the digits
 * below come from a counter of nanoseconds that is set by the clock again whenever the two drift apart.
 */
export class LogTime {
	readonly #clock: Clock;
	readonly #counter: () => bigint;
	/** What to add to the counter to get nanoseconds since the epoch. */
	#offset: bigint;
	#second = -1n;
	#prefix = '';

	/** `counter` is any steadily rising count of nanoseconds. */
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
