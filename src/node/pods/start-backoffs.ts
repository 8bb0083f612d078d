import type { Clock } from '../../base/clock.ts';
import type { StartBackoff } from '../../plan/pod/snapshot.ts';

/** Why a sandbox or container could not be created, as {@link StartBackoffs} records it. */
export type FailedStart = Omit<StartBackoff, 'failures' | 'at'>;

/** The last failure, the number of failures in a row, and when it happened, by the monotonic clock in ms. */
type Entry = Omit<StartBackoff, 'at'> & { readonly failedAt: number };

/**
 * Counts the failed attempts to create the sandbox or a container of a Pod, from which plan/pod computes the
 * backoff. In memory only: a restart of the agent resets the backoff, as it does in the kubelet.
 */
export class StartBackoffs {
	readonly #clock: Clock;
	/** By Pod UID, then by container name. */
	readonly #entries = new Map<string, Map<string, Entry>>();

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/**
	 * The failures of the Pod, by container name. `at` is the current wall clock time minus the time that has
	 * passed by the monotonic clock: setting the wall clock back delays no retry.
	 */
	of(podUid: string): ReadonlyMap<string, StartBackoff> {
		const [now, elapsed] = [this.#clock.now(), this.#clock.monotonic()];
		return new Map(
			Array.from(this.#entries.get(podUid) ?? [], ([container, { failedAt, ...rest }]) => [
				container,
				{ ...rest, at: now - (elapsed - failedAt) },
			]),
		);
	}

	/** Records the result of an attempt to create the container; undefined (success) resets the count. */
	note(podUid: string, container: string, failure: FailedStart | undefined): void {
		const entries = this.#entries.get(podUid) ?? new Map<string, Entry>();
		if (failure) {
			const failures = (entries.get(container)?.failures ?? 0) + 1;
			entries.set(container, { ...failure, failures, failedAt: this.#clock.monotonic() });
			this.#entries.set(podUid, entries);
		} else if (entries.delete(container) && entries.size === 0) {
			this.#entries.delete(podUid);
		}
	}

	/** Replaces reason and message of a failure, without counting it again. */
	rephrase(podUid: string, container: string, words: Pick<StartBackoff, 'reason' | 'message'>): void {
		const entry = this.#entries.get(podUid)?.get(container);
		if (entry) this.#entries.get(podUid)?.set(container, { ...entry, ...words });
	}

	/** Makes the failures with one of these reasons due for a retry now. Returns whether there are any. */
	retryNow(podUid: string, reasons: ReadonlySet<string>): boolean {
		const entries = this.#entries.get(podUid);
		const due = [...(entries ?? [])].filter(([, { reason }]) => reasons.has(reason));
		for (const [container, entry] of due) entries?.set(container, { ...entry, retryAfterMs: 0 });
		return due.length > 0;
	}

	/** Removes the failures of the Pod. */
	forget(podUid: string): void {
		this.#entries.delete(podUid);
	}
}
