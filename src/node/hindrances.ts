import type { Clock } from '../base/clock.ts';
import type { Hindrance } from '../plan/pod/snapshot.ts';

/** Why something could not be made, as {@link Hindrances} remembers it. */
export type Failure = Omit<Hindrance, 'failures' | 'at'>;

/** A failure, how often in a row, and when last, by the monotonic clock. */
type Entry = Omit<Hindrance, 'at'> & { readonly since: number };

/** Remembers what keeps the sandboxes and containers of Pods from being made. It goes with the node agent. */
export class Hindrances {
	readonly #clock: Clock;
	/** By Pod, then by container. */
	readonly #entries = new Map<string, Map<string, Entry>>();

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/**
	 * Those of the Pod, by container. Their times are such that the time since then is what has passed by the
	 * monotonic clock: a wall clock that was set back delays no retry.
	 */
	of(podUid: string): ReadonlyMap<string, Hindrance> {
		const [now, elapsed] = [this.#clock.now(), this.#clock.monotonic()];
		return new Map(
			Array.from(this.#entries.get(podUid) ?? [], ([container, { since, ...rest }]) => [
				container,
				{ ...rest, at: now - (elapsed - since) },
			]),
		);
	}

	/** Takes in how an attempt to make the container came out; undefined: it was made. */
	note(podUid: string, container: string, failure: Failure | undefined): void {
		const entries = this.#entries.get(podUid) ?? new Map<string, Entry>();
		if (failure) {
			const failures = (entries.get(container)?.failures ?? 0) + 1;
			entries.set(container, { ...failure, failures, since: this.#clock.monotonic() });
			this.#entries.set(podUid, entries);
		} else if (entries.delete(container) && entries.size === 0) {
			this.#entries.delete(podUid);
		}
	}

	/** Says the same in other words. */
	rephrase(podUid: string, container: string, words: Pick<Hindrance, 'reason' | 'message'>): void {
		const entry = this.#entries.get(podUid)?.get(container);
		if (entry) this.#entries.get(podUid)?.set(container, { ...entry, ...words });
	}

	/** Forgets those of the Pod. */
	forget(podUid: string): void {
		this.#entries.delete(podUid);
	}
}
