import type { KubeObject } from '../../api/meta/object-meta.ts';
import { parseTime } from '../../api/meta/time.ts';
import { RevisionMismatchError } from '../../store/store.ts';
import type { ServerContext } from '../context.ts';
import type { ResourceCache } from '../storage/resource-cache.ts';
import type { StoredObject } from '../storage/stored-object.ts';

/** How long an Event is kept after its last write (upstream: --event-ttl). */
const LIFETIME_MS = 3_600_000;

/**
 * Maximum number of Events of each type. Upstream has no limit and grows for an hour: four Jobs a second
 * leave 130,000 Events, 150 MB on disk. The types have separate limits, so that the Events of many successful
 * Jobs do not push out those that explain why another Job failed.
 */
const LIMITS: Readonly<Record<EventType, number>> = { Normal: 7_500, Warning: 2_500 };

/**
 * A sweep starts at once, and not at the next round of the housekeeping, when a type exceeds its limit by
 * this many Events.
 */
const SWEEP_SLACK = 2_500;

/** Number of Events deleted in one commit. Requests of clients are served between two of these groups. */
const GROUP_SIZE = 200;

type EventType = 'Normal' | 'Warning';

/** What is kept in memory for a stored Event. */
interface Kept {
	readonly revision: number;
	readonly type: EventType;
	/** Time of its last write, in ms of the monotonic clock. */
	readonly writtenMs: number;
}

/**
 * Deletes Events an hour after their last write, and the oldest ones beyond {@link LIMITS}.
 *
 * The age of an Event is measured from its last write with the monotonic clock, whatever times the Event
 * claims: clients set these, and the wall clock may be changed. For Events written before the server started
 * only their times are known: the creationTimestamp, which the server set, or a later time that is not in the
 * future.
 */
export class EventExpiry {
	readonly #server: ServerContext;
	readonly #events: ResourceCache | undefined;
	/** By key, least recently written first. */
	readonly #kept = new Map<string, Kept>();
	#counts: Record<EventType, number> = { Normal: 0, Warning: 0 };
	/** The revision of the last change that is registered. */
	#seen = 0;
	#unsubscribe: (() => void) | undefined;
	#sweeping = false;
	#sweepAsked = false;
	#stopped = false;

	constructor(server: ServerContext) {
		this.#server = server;
		this.#events = server.cache.stored('', 'events');
	}

	/** Registers the stored Events and subscribes to changes of them. The cache must be loaded. */
	start(): void {
		const { clock } = this.#server;
		const lag = clock.monotonic() - clock.now();
		const found = (this.#events?.all() ?? []).map((stored) => {
			return { stored, writtenMs: lastWritten(stored.object, clock.now()) + lag };
		});
		found.sort((a, b) => a.writtenMs - b.writtenMs);
		for (const { stored, writtenMs } of found) this.#keep(stored, writtenMs);
		this.#seen = this.#events?.changedAt ?? 0;
		this.#unsubscribe = this.#events?.onChange(() => this.#readChanges());
	}

	/** Unsubscribes and deletes no more Events. */
	stop(): void {
		this.#stopped = true;
		this.#unsubscribe?.();
	}

	/**
	 * Deletes the Events that have expired or exceed their limit. If a sweep is running, another one follows
	 * it.
	 */
	sweep(): void {
		this.#sweepAsked = true;
		if (!this.#sweeping) void this.#sweepWhileAsked();
	}

	async #sweepWhileAsked(): Promise<void> {
		this.#sweeping = true;
		while (this.#sweepAsked && !this.#stopped) {
			this.#sweepAsked = false;
			await this.#sweepOnce();
		}
		this.#sweeping = false;
	}

	#readChanges(): void {
		const changes = this.#events?.window.changesAfter(this.#seen);
		this.#seen = this.#events?.changedAt ?? 0;
		if (!changes) this.#reload();
		const now = this.#server.clock.monotonic();
		for (const { before, now: written } of changes ?? []) {
			if (before) this.#drop(before.key);
			if (written) this.#keep(written, now);
		}
		const { Normal, Warning } = this.#counts;
		if (Normal > LIMITS.Normal + SWEEP_SLACK || Warning > LIMITS.Warning + SWEEP_SLACK) this.sweep();
	}

	/** Registers all stored Events anew: more changed in one batch than the change window holds. */
	#reload(): void {
		const known = new Map(this.#kept);
		this.#kept.clear();
		this.#counts = { Normal: 0, Warning: 0 };
		const now = this.#server.clock.monotonic();
		const found = (this.#events?.all() ?? []).map((stored) => {
			const same = known.get(stored.key);
			return { stored, writtenMs: same?.revision === stored.revision ? same.writtenMs : now };
		});
		found.sort((a, b) => a.writtenMs - b.writtenMs);
		for (const { stored, writtenMs } of found) this.#keep(stored, writtenMs);
	}

	#keep({ key, revision, object }: StoredObject, writtenMs: number): void {
		const type = 'type' in object && object.type === 'Warning' ? 'Warning' : 'Normal';
		this.#kept.set(key, { revision, type, writtenMs });
		this.#counts[type] += 1;
	}

	#drop(key: string): void {
		const kept = this.#kept.get(key);
		if (!kept) return;
		this.#kept.delete(key);
		this.#counts[kept.type] -= 1;
	}

	async #sweepOnce(): Promise<void> {
		const expired = this.#expired();
		for (let start = 0; start < expired.length && !this.#stopped; start += GROUP_SIZE) {
			await Promise.all(expired.slice(start, start + GROUP_SIZE).map((each) => this.#delete(each)));
		}
	}

	/** The Events to delete, least recently written first. */
	#expired(): ReadonlyArray<{ readonly key: string; readonly revision: number }> {
		const expiredBefore = this.#server.clock.monotonic() - LIFETIME_MS;
		const excess = {
			Normal: this.#counts.Normal - LIMITS.Normal,
			Warning: this.#counts.Warning - LIMITS.Warning,
		};
		const expired: Array<{ readonly key: string; readonly revision: number }> = [];
		for (const [key, { revision, type, writtenMs }] of this.#kept) {
			if (writtenMs > expiredBefore && excess[type] <= 0) continue;
			excess[type] -= 1;
			expired.push({ key, revision });
		}
		return expired;
	}

	async #delete({ key, revision }: { readonly key: string; readonly revision: number }): Promise<void> {
		const { store, onError } = this.#server;
		try {
			await store.write({ type: 'delete', key, expected: revision });
		} catch (error) {
			// RevisionMismatchError: the Event was written again, or a client deleted it, in the meantime.
			if (!(error instanceof RevisionMismatchError)) onError('event expiry', error);
		}
	}
}

/** The time of an Event's last write, in ms since the epoch. Times in the future are ignored. */
function lastWritten(event: KubeObject, now: number): number {
	const created = Math.min(timeIn(event.metadata.creationTimestamp) ?? now, now);
	const claimed = [
		'lastTimestamp' in event ? timeIn(event.lastTimestamp) : undefined,
		'eventTime' in event ? timeIn(event.eventTime) : undefined,
	];
	return Math.max(created, ...claimed.map((time) => (time !== undefined && time <= now ? time : created)));
}

function timeIn(text: unknown): number | undefined {
	return typeof text === 'string' ? parseTime(text) : undefined;
}
