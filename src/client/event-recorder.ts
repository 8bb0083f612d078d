import { events } from '../api/core/event/definition.ts';
import type { EventText } from '../api/core/event/event-text.ts';
import type { Event } from '../api/core/event/schema.ts';
import { isApiError } from '../api/errors/api-error.ts';
import type { KubeObject } from '../api/meta/object-meta.ts';
import { formatTime } from '../api/meta/time.ts';
import type { Clock } from '../base/clock.ts';
import { FifoQueue } from '../base/collections/fifo-queue.ts';
import type { Client } from './client.ts';
import { type Correlated, EventCorrelator } from './event-correlator.ts';
import { unlessGone } from './outcomes.ts';

/**
 * The number of concurrent writes of Events: two, plus one for each 500 waiting Events, so that the queue
 * empties. Two are few enough that Events do not delay other requests: when a thousand Pods are due at once,
 * they start a third sooner than with sixteen.
 */
const MIN_WRITERS = 2;
const WAITING_PER_EXTRA_WRITER = 500;

/**
 * Maximum number of Events that wait to be written; further ones are discarded, as client-go's broadcaster does
 * beyond 1,000. A waiting Event takes 2 KB of memory.
 */
const QUEUE_LIMIT = 5000;

/**
 * Records Events about objects, after client-go's recorder: repeated Events increment the count of one, and
 * floods are combined and then dropped (see event-correlator.ts). Recording never blocks its caller and never
 * fails: a component must not depend on its Events being written.
 */
export class EventRecorder {
	readonly #options: EventRecorderOptions;
	readonly #correlator: EventCorrelator;
	readonly #queue = new FifoQueue<Correlated>();
	/**
	 * The Events that are being written, by namespace and name; the value is the next write of the same Event, if
	 * there is one. Writes of one Event never overlap, as in client-go: otherwise the patch that increments a
	 * count could overtake the create request.
	 */
	readonly #writing = new Map<string, Correlated | undefined>();
	/** Number of Events that were discarded since the last report. */
	#discarded = 0;
	#serial: bigint;

	constructor(options: EventRecorderOptions) {
		this.#options = options;
		this.#correlator = new EventCorrelator(options.clock);
		this.#serial = firstSerial(`${options.component}/${options.host ?? ''}`);
	}

	/** Records an Event about `object`. Returns at once; the Event is written later. */
	event(object: KubeObject, text: EventText): void {
		if (this.#queue.size >= QUEUE_LIMIT) {
			this.#discarded += 1;
			return;
		}
		const correlated = this.#correlator.correlate(this.#build(object, text));
		if (!correlated) return;
		this.#queue.push(correlated);
		this.#startWrites();
	}

	#build(object: KubeObject, { type, reason, message, fieldPath }: EventText): Event {
		const { clock, component, host = '' } = this.#options;
		const now = clock.now();
		const { name = '', namespace, uid, resourceVersion } = object.metadata;
		this.#serial += 1n;
		const unique = (BigInt(Math.floor(now)) * 1_000_000n + (this.#serial % 1_000_000n)).toString(16);
		return {
			apiVersion: 'v1',
			kind: 'Event',
			metadata: { name: `${name}.${unique}`, namespace: namespace || 'default' },
			involvedObject: {
				kind: object.kind,
				...(namespace && { namespace }),
				name,
				...(uid && { uid }),
				apiVersion: object.apiVersion,
				...(resourceVersion && { resourceVersion }),
				...(fieldPath && { fieldPath }),
			},
			reason,
			message,
			source: { component, ...(host && { host }) },
			firstTimestamp: formatTime(now),
			lastTimestamp: formatTime(now),
			count: 1,
			type,
			reportingComponent: component,
			reportingInstance: host,
		};
	}

	#startWrites(): void {
		while (this.#writing.size < MIN_WRITERS + this.#queue.size / WAITING_PER_EXTRA_WRITER) {
			const next = this.#queue.shift();
			if (!next) {
				this.#reportDiscarded();
				return;
			}
			const { namespace = '', name = '' } = next.event.metadata;
			const key = `${namespace}/${name}`;
			// A repeated Event contains the total count, so only the latest of the waiting ones is written.
			if (this.#writing.has(key)) this.#writing.set(key, next);
			else void this.#writeWithRepeats(key, next);
		}
	}

	/** Writes one Event, and then its repetition if one was recorded during the write. */
	async #writeWithRepeats(key: string, first: Correlated): Promise<void> {
		for (let next: Correlated | undefined = first; next; next = this.#writing.get(key)) {
			this.#writing.set(key, undefined);
			await this.#write(next);
		}
		this.#writing.delete(key);
		this.#startWrites();
	}

	/** Reports discarded Events once the queue is empty, so that a flood causes one report. */
	#reportDiscarded(): void {
		if (this.#discarded === 0) return;
		const error = new Error(`discarded ${this.#discarded} Events: more than ${QUEUE_LIMIT} waited`);
		this.#discarded = 0;
		this.#options.onError?.(error);
	}

	async #write({ event, repeats }: Correlated): Promise<void> {
		const { client, onError } = this.#options;
		const { name = '', namespace } = event.metadata;
		const target = client.resource(events, namespace);
		try {
			const { count, lastTimestamp, message } = event;
			const isCounted =
				repeats && (await unlessGone(target.patch(name, 'strategic', { count, lastTimestamp, message })));
			// The Event that the patch would update may have expired, or its create request may have failed.
			if (!isCounted) await target.create(event);
		} catch (error) {
			if (!isRefusal(error)) onError?.(error);
		}
	}
}

/**
 * The first serial number of a recorder. Two components that record an Event about one object at the same
 * instant must not choose the same name, so each component counts from another number.
 */
function firstSerial(who: string): bigint {
	let hash = 0;
	for (const character of who) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 1_000_003;
	return BigInt(hash);
}

/** The dependencies and settings of an {@link EventRecorder}. */
export interface EventRecorderOptions {
	readonly client: Client;
	readonly clock: Clock;
	/** The component in the source of the Events, such as `job-controller` or `kubelet`. */
	readonly component: string;
	/** The name of the node, if the component runs on one. */
	readonly host?: string;
	/** Called with the error of each failed write, except a refusal because the namespace is being deleted. */
	readonly onError?: (error: unknown) => void;
}

function isRefusal(error: unknown): boolean {
	return isApiError(error, 'Forbidden') || isApiError(error, 'NotFound');
}
