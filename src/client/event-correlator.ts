import type { Event } from '../api/core/event/schema.ts';
import type { Clock } from '../base/clock.ts';
import { LruMap } from '../base/collections/lru-map.ts';

/**
 * Prevents a component from flooding the API server with Events, by the rules of client-go's EventCorrelator
 * (tools/record/events_cache.go), in its order:
 *
 * 1. Aggregation: Events about one object with one reason but different messages are combined from the tenth
 *    message on, unless more than ten minutes pass without one. The message of the combined Event says so.
 * 2. Counting: an Event that equals an earlier one increments the count of that one.
 * 3. Spam filter: a component may write 25 Events about one object at once, then one in five minutes. The
 *    filter comes after the counting, so the next Event that passes shows the count of the dropped ones too.
 *
 * Each rule keeps the state of the 4096 most recently used keys, so memory is bounded.
 */
export class EventCorrelator {
	readonly #clock: Clock;
	readonly #similar = new LruMap<SimilarEvents>(MAX_KEYS);
	readonly #observed = new LruMap<Observation>(MAX_KEYS);
	readonly #buckets = new LruMap<TokenBucket>(MAX_KEYS);

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** The Event to write for `event`, or undefined if it is dropped. */
	correlate(event: Event): Correlated | undefined {
		const { event: aggregated, key } = this.#aggregate(event);
		const correlated = this.#count(aggregated, key);
		return this.#mayPass(sourceKey(event)) ? correlated : undefined;
	}

	/** Upstream: EventAggregate. */
	#aggregate(event: Event): { readonly event: Event; readonly key: string } {
		const now = this.#clock.monotonic();
		const group = groupKey(event);
		const message = event.message ?? '';
		const known = this.#similar.get(group);
		// A list that starts with its first message has no spare capacity: the first `push` would reserve 17 entries.
		const similar =
			known && now - known.lastMs <= SIMILAR_INTERVAL_MS ? known : { messages: [message], lastMs: now };
		similar.lastMs = now;
		this.#similar.set(group, similar);
		if (similar.messages.includes(message)) return { event, key: eventKey(event) };
		// Upstream adds the message and then removes one at random; not adding it is one of its outcomes.
		if (similar.messages.length + 1 >= SIMILAR_LIMIT) return { event: combined(event), key: group };
		similar.messages.push(message);
		return { event, key: eventKey(event) };
	}

	/** Upstream: eventObserve. */
	#count(event: Event, key: string): Correlated {
		const before = this.#observed.get(key);
		const count = (before?.count ?? 0) + 1;
		const name = before?.name ?? event.metadata.name ?? '';
		const firstTimestamp = before?.firstTimestamp ?? event.firstTimestamp;
		this.#observed.set(key, { name, count, firstTimestamp });
		const metadata = { ...event.metadata, name };
		const counted = { ...event, metadata, count, ...(firstTimestamp && { firstTimestamp }) };
		return { event: counted, repeats: before !== undefined };
	}

	/** Upstream: EventSourceObjectSpamFilter, a token bucket for each source and object. */
	#mayPass(key: string): boolean {
		const now = this.#clock.monotonic();
		const bucket = this.#buckets.get(key) ?? { tokens: SPAM_BURST, atMs: now };
		const refilled = (now - bucket.atMs) / SPAM_REFILL_MS;
		bucket.tokens = Math.min(bucket.tokens + refilled, SPAM_BURST);
		bucket.atMs = now;
		this.#buckets.set(key, bucket);
		if (bucket.tokens < 1) return false;
		bucket.tokens -= 1;
		return true;
	}
}

/** An Event to write. `repeats` says that it increments the count of an earlier Event. */
export interface Correlated {
	readonly event: Event;
	readonly repeats: boolean;
}

/** The messages, fewer than ten, of Events that differ only in the message. */
interface SimilarEvents {
	readonly messages: string[];
	/** Monotonic time of the latest of the Events. */
	lastMs: number;
}

/** The state of an Event that its repetitions continue. */
interface Observation {
	readonly name: string;
	readonly count: number;
	readonly firstTimestamp: Event['firstTimestamp'];
}

interface TokenBucket {
	tokens: number;
	/** Monotonic time at which `tokens` was computed. */
	atMs: number;
}

const SIMILAR_LIMIT = 10;
const SIMILAR_INTERVAL_MS = 600_000;
const SPAM_BURST = 25;
const SPAM_REFILL_MS = 300_000;
const MAX_KEYS = 4096;

/** The Event that replaces similar ones. As upstream's, it has no reporting component. */
function combined({ lastTimestamp, ...event }: Event): Event {
	return {
		...event,
		message: `(combined from similar events): ${event.message ?? ''}`,
		...(lastTimestamp && { firstTimestamp: lastTimestamp, lastTimestamp }),
		reportingComponent: '',
		reportingInstance: '',
	};
}

/** Upstream: getSpamKey. */
function sourceKey({ source, involvedObject: about }: Event): string {
	return [
		source?.component,
		source?.host,
		about.kind,
		about.namespace,
		about.name,
		about.uid,
		about.apiVersion,
	].join('\n');
}

/** Upstream: EventAggregatorByReasonFunc. */
function groupKey(event: Event): string {
	const { type, reason, reportingComponent, reportingInstance } = event;
	return [sourceKey(event), type, reason, reportingComponent, reportingInstance].join('\n');
}

/** Upstream: getEventKey. */
function eventKey(event: Event): string {
	const { involvedObject, type, reason, message } = event;
	return [sourceKey(event), involvedObject.fieldPath, type, reason, message].join('\n');
}
