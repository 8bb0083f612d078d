import type { Event } from '../api/core/event/schema.ts';
import type { Clock } from '../base/clock.ts';

/**
 * Keeps Events from flooding, by the rules of client-go's EventCorrelator:
 *
 * 1. An Event equal to an earlier one raises that one's count.
 * 2. After ten different messages of one reason about one object within ten minutes, further ones are
 *    combined into a single Event whose message says so.
 * 3. A component may make 25 Events about one object at once, then one in five minutes; the rest is
 *    dropped.
 */
export class EventCorrelator {
	readonly #clock: Clock;
	readonly #similar = new RecentMap<{ messages: Set<string>; last: number }>(REMEMBERED);
	readonly #seen = new RecentMap<{ name: string; count: number; firstTimestamp: string | undefined }>(
		REMEMBERED,
	);
	readonly #spending = new RecentMap<{ tokens: number; at: number }>(REMEMBERED);

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** What to write for `event`, or undefined when nothing should be. */
	correlate(event: Event): Correlated | undefined {
		if (!this.#maySpend(sourceKey(event))) return undefined;
		const { key, message } = this.#aggregate(event);
		const before = this.#seen.get(key);
		const count = (before?.count ?? 0) + 1;
		const name = before?.name ?? event.metadata.name ?? '';
		const firstTimestamp = before?.firstTimestamp ?? event.firstTimestamp;
		this.#seen.set(key, { name, count, firstTimestamp });
		const metadata = { ...event.metadata, name };
		const correlated = { ...event, metadata, message, count, ...(firstTimestamp && { firstTimestamp }) };
		return { event: correlated, repeats: before !== undefined };
	}

	#aggregate(event: Event): { key: string; message: string } {
		const now = this.#clock.now();
		const group = [sourceKey(event), event.type, event.reason].join('\n');
		const known = this.#similar.get(group);
		const fresh =
			known && now - known.last <= SIMILAR_WINDOW_MS ? known : { messages: new Set<string>(), last: now };
		fresh.last = now;
		const message = event.message ?? '';
		fresh.messages.add(message);
		this.#similar.set(group, fresh);
		if (fresh.messages.size < SIMILAR_LIMIT) return { key: `${group}\n${message}`, message };
		fresh.messages.delete(message);
		return { key: group, message: `(combined from similar events): ${message}` };
	}

	#maySpend(key: string): boolean {
		const now = this.#clock.now();
		const purse = this.#spending.get(key) ?? { tokens: SPAM_BURST, at: now };
		const earned = (now - purse.at) / SPAM_REFILL_MS;
		const tokens = Math.min(purse.tokens + earned, SPAM_BURST);
		this.#spending.set(key, { tokens: tokens >= 1 ? tokens - 1 : tokens, at: now });
		return tokens >= 1;
	}
}

/** An Event to write; `repeats` when it raises the count of one that was written before. */
export interface Correlated {
	readonly event: Event;
	readonly repeats: boolean;
}

const SIMILAR_LIMIT = 10;
const SIMILAR_WINDOW_MS = 10 * 60_000;
const SPAM_BURST = 25;
const SPAM_REFILL_MS = 5 * 60_000;
const REMEMBERED = 4096;

/** A map that forgets what was set longest ago once it holds `limit` keys. */
class RecentMap<V> {
	readonly #limit: number;
	readonly #values = new Map<string, V>();

	constructor(limit: number) {
		this.#limit = limit;
	}

	get(key: string): V | undefined {
		return this.#values.get(key);
	}

	set(key: string, value: V): void {
		this.#values.delete(key);
		this.#values.set(key, value);
		if (this.#values.size <= this.#limit) return;
		const [oldest] = this.#values.keys();
		if (oldest !== undefined) this.#values.delete(oldest);
	}
}

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
