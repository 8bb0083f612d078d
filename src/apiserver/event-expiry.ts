import type { KubeObject } from '../api/meta/object-meta.ts';
import { parseTime } from '../api/meta/time.ts';
import { RevisionMismatchError } from '../store/store.ts';
import type { ServerContext } from './context.ts';
import { Matcher } from './matcher.ts';
import type { ObjectNotice } from './notices.ts';
import type { ResourceCache } from './resource-cache.ts';
import { ALL } from './selection.ts';
import type { StoredObject } from './stored-object.ts';

/** How long an Event is kept after it was last written (upstream: --event-ttl). */
const LIFETIME_MS = 3_600_000;

/**
 * How many Events are kept at most. Upstream has no such bound and grows for an hour: four Jobs a second
 * leave 130,000 Events, 150 MB on disk. The two types are bounded apart, so that no burst of Jobs that run
 * well pushes out what says why another one failed.
 */
const LIMITS: Readonly<Record<EventType, number>> = { Normal: 7_500, Warning: 2_500 };

/** With this many of one type more than its limit, a round begins at once rather than at its time. */
const SLACK = 2_500;

/** How many are deleted in one commit; others' requests come in between. */
const GROUP = 200;

type EventType = 'Normal' | 'Warning';

/** A live Event. */
interface Kept {
	readonly revision: number;
	readonly type: EventType;
	/** When it was last written, by the monotonic clock. */
	readonly writtenMs: number;
}

/**
 * Deletes Events: an hour after their last write, and the oldest of those beyond {@link LIMITS}.
 *
 * An Event's age is counted from its write, whatever times the Event claims, and by the monotonic clock.
 * Of Events that were there before the server started it is known only by their times: the server's own
 * creationTimestamp, or a later one that has already come.
 */
export class EventExpiry {
	readonly #server: ServerContext;
	readonly #events: ResourceCache | undefined;
	/** By key, in the order of their last writes. */
	readonly #kept = new Map<string, Kept>();
	readonly #counts: Record<EventType, number> = { Normal: 0, Warning: 0 };
	#unsubscribe: (() => void) | undefined;
	#sweeping = false;
	#sweepAsked = false;
	#stopped = false;

	constructor(server: ServerContext) {
		this.#server = server;
		this.#events = server.cache.of('', 'events');
	}

	/** Begins with the Events that are there. */
	start(): void {
		const { clock, onError, cache } = this.#server;
		const lag = clock.monotonic() - clock.now();
		const found = (this.#events?.all() ?? []).map((stored) => {
			return { stored, writtenMs: lastWritten(stored.object, clock.now()) + lag };
		});
		found.sort((a, b) => a.writtenMs - b.writtenMs);
		for (const { stored, writtenMs } of found) this.#keep(stored, writtenMs);
		this.#unsubscribe = this.#events?.subscribe({
			selected: new Matcher(this.#events.codec, ALL),
			after: cache.revision,
			notify: (notices) => this.#take(notices),
			ended: (error) => onError('event expiry', error),
		});
	}

	/** Deletes nothing any more. */
	stop(): void {
		this.#stopped = true;
		this.#unsubscribe?.();
	}

	/** Deletes the Events whose time is over or that are too many; if that is under way, then once more. */
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

	#take(notices: readonly ObjectNotice[]): void {
		const now = this.#server.clock.monotonic();
		for (const { type, stored } of notices) {
			this.#drop(stored.key);
			if (type !== 'DELETED') this.#keep(stored, now);
		}
		const { Normal, Warning } = this.#counts;
		if (Normal > LIMITS.Normal + SLACK || Warning > LIMITS.Warning + SLACK) this.sweep();
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
		const ended = this.#ended();
		for (let start = 0; start < ended.length && !this.#stopped; start += GROUP) {
			await Promise.all(ended.slice(start, start + GROUP).map((each) => this.#delete(each)));
		}
	}

	/** The Events to delete, those written longest ago first. */
	#ended(): ReadonlyArray<{ readonly key: string; readonly revision: number }> {
		const oldest = this.#server.clock.monotonic() - LIFETIME_MS;
		const over = {
			Normal: this.#counts.Normal - LIMITS.Normal,
			Warning: this.#counts.Warning - LIMITS.Warning,
		};
		const ended: Array<{ readonly key: string; readonly revision: number }> = [];
		for (const [key, { revision, type, writtenMs }] of this.#kept) {
			if (writtenMs > oldest && over[type] <= 0) continue;
			over[type] -= 1;
			ended.push({ key, revision });
		}
		return ended;
	}

	async #delete({ key, revision }: { readonly key: string; readonly revision: number }): Promise<void> {
		const { store, onError } = this.#server;
		try {
			await store.write({ type: 'delete', key, expected: revision });
		} catch (error) {
			// It was written again, or deleted by a client, in the meantime.
			if (!(error instanceof RevisionMismatchError)) onError('event expiry', error);
		}
	}
}

/** When the Event was last written, as far as its times can be believed: none of them is in the future. */
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
