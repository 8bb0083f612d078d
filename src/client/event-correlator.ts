import type { Event } from '../api/core/event/schema.ts';
import type { Clock } from '../base/clock.ts';
import { LruMap } from '../base/lru-map.ts';

/**
 * Keeps a component from flooding the API with Events, by the rules of client-go's EventCorrelator
 * (tools/record/events_cache.go), in its order:
 *
 * 1. Aggregation: from the tenth different message of one reason about one object on, with no pause of
 *    more than ten minutes, further ones are combined into a single Event whose message says so.
 * 2. Counting: an Event equal to an earlier one raises the count of that one.
 * 3. Spam filter: a component may write 25 Events about one object at once, then one in five minutes.
 *    An Event that is dropped here has been counted: the next one that passes shows the whole count.
 *
 * Each rule remembers the 4096 keys it met last, so memory is bounded.
 */
export class EventCorrelator {
	readonly #clock: Clock;
	readonly #similar = new LruMap<SimilarEvents>(REMEMBERED);
	readonly #observed = new LruMap<Observation>(REMEMBERED);
	readonly #buckets = new LruMap<TokenBucket>(REMEMBERED);

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** What to write for `event`, or undefined to drop it. */
	correlate(event: Event): Correlated | undefined {
		const { event: aggregated, key } = this.#aggregate(event);
		const correlated = this.#count(aggregated, key);
		return this.#mayPass(sourceKey(event)) ? correlated : undefined;
	}

	/** Upstream: EventAggregate. */
	#aggregate(event: Event): { readonly event: Event; readonly key: string } {
		const now = this.#clock.monotonic();
		const group = groupKey(event);
		const known = this.#similar.get(group);
		const similar =
			known && now - known.lastMs <= SIMILAR_INTERVAL_MS ? known : { messages: [], lastMs: now };
		similar.lastMs = now;
		this.#similar.set(group, similar);
		const message = event.message ?? '';
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

/** An Event to write; `repeats` if it raises the count of one that was written before. */
export interface Correlated {
	readonly event: Event;
	readonly repeats: boolean;
}

/** The messages of Events that differ in nothing else; fewer than ten of them. */
interface SimilarEvents {
	readonly messages: string[];
	/** By the monotonic clock. */
	lastMs: number;
}

/** An Event as it was last written. */
interface Observation {
	readonly name: string;
	readonly count: number;
	readonly firstTimestamp: Event['firstTimestamp'];
}

interface TokenBucket {
	tokens: number;
	/** When `tokens` was worked out, by the monotonic clock. */
	atMs: number;
}

const SIMILAR_LIMIT = 10;
const SIMILAR_INTERVAL_MS = 600_000;
const SPAM_BURST = 25;
const SPAM_REFILL_MS = 300_000;
const REMEMBERED = 4096;

/** The Event that stands for similar ones. As upstream's, it names no reporting component. */
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
