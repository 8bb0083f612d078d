import type { KubeObject } from '../api/meta/object-meta.ts';
import { parseTime } from '../api/meta/time.ts';
import { RevisionMismatchError } from '../store/store.ts';
import type { ServerContext } from './context.ts';
import type { ResourceCache } from './resource-cache.ts';
import { ALL } from './selection.ts';

/** How long an Event is kept after it was last written, as upstream. */
const LIFETIME_MS = 3_600_000;

/** How many are deleted in one round at most, so that a burst does not stop everything else. */
const MOST_AT_ONCE = 5000;

interface Expected {
	readonly key: string;
	/** Of the write that started this life; a later one has an entry of its own. */
	readonly revision: number;
	readonly due: number;
}

/**
 * Deletes Events an hour after their last write. All live equally long, so their ends come in the order
 * of their writes: one queue, no timer for each.
 */
export class EventExpiry {
	readonly #server: ServerContext;
	readonly #events: ResourceCache | undefined;
	#queue: Expected[] = [];
	#unsubscribe: (() => void) | undefined;

	constructor(server: ServerContext) {
		this.#server = server;
		this.#events = server.cache.of('', 'events');
	}

	/** Begins with the Events that are there. */
	start(): void {
		const { clock, onError, cache } = this.#server;
		const found = this.#events?.select(ALL) ?? [];
		this.#queue = found
			.map(({ key, revision, object }) => ({ key, revision, due: lastSeen(object) + LIFETIME_MS }))
			.sort((a, b) => a.due - b.due);
		this.#unsubscribe = this.#events?.subscribe({
			selection: ALL,
			after: cache.revision,
			notify: (notices) => {
				const due = clock.now() + LIFETIME_MS;
				for (const { type, stored } of notices) {
					if (type !== 'DELETED') this.#queue.push({ key: stored.key, revision: stored.revision, due });
				}
			},
			ended: (error) => onError('event expiry', error),
		});
	}

	/** Deletes nothing any more. */
	stop(): void {
		this.#unsubscribe?.();
	}

	/** Deletes the Events whose time is over. */
	sweep(): void {
		const now = this.#server.clock.now();
		let ended = this.#queue.findIndex(({ due }) => due > now);
		if (ended < 0) ended = this.#queue.length;
		if (ended === 0) return;
		for (const { key, revision } of this.#queue.splice(0, Math.min(ended, MOST_AT_ONCE))) {
			if (this.#events?.at(key)?.revision === revision) void this.#delete(key, revision);
		}
	}

	async #delete(key: string, expected: number): Promise<void> {
		const { store, onError } = this.#server;
		try {
			await store.write({ type: 'delete', key, expected });
		} catch (error) {
			if (!(error instanceof RevisionMismatchError)) onError('event expiry', error);
		}
	}
}

/** When the Event was last written, as far as it tells. */
function lastSeen(event: KubeObject): number {
	const texts = [
		'lastTimestamp' in event ? event.lastTimestamp : undefined,
		'eventTime' in event ? event.eventTime : undefined,
		event.metadata.creationTimestamp,
	];
	return Math.max(0, ...texts.map((text) => (typeof text === 'string' ? (parseTime(text) ?? 0) : 0)));
}
