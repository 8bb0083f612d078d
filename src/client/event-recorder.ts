import { events } from '../api/core/event/definition.ts';
import type { Event } from '../api/core/event/schema.ts';
import { isApiError } from '../api/meta/api-error.ts';
import type { KubeObject } from '../api/meta/object-meta.ts';
import { formatTime } from '../api/meta/time.ts';
import type { Clock } from '../base/clock.ts';
import { FifoQueue } from '../base/fifo-queue.ts';
import type { Client } from './client.ts';
import { type Correlated, EventCorrelator } from './event-correlator.ts';

/** What happened, in a few words; the reason is in CamelCase, for machines. */
export interface EventText {
	readonly type: 'Normal' | 'Warning';
	readonly reason: string;
	readonly message: string;
	/** The part of the object it is about: `spec.containers{main}`. */
	readonly fieldPath?: string;
}

/**
 * How many Events are written at once: few, so that they do not delay other requests (a thousand Pods
 * that are due at once start a third sooner than with sixteen), and one more for each so many that wait,
 * so that the queue empties.
 */
const FEWEST_IN_FLIGHT = 2;
const WAITING_PER_WRITER = 500;

/**
 * How many Events may wait to be written; further ones are discarded, as upstream's recorder does from
 * 1,000 on. An Event that waits takes 2 KB of memory.
 */
const QUEUE_LIMIT = 5000;

/**
 * Records Events about objects, after client-go's recorder: repeated ones are counted on one Event,
 * floods are combined and then dropped (see event-correlator.ts). Recording never blocks and never
 * fails for the caller: no component depends on an Event having been written.
 */
export class EventRecorder {
	readonly #options: EventRecorderOptions;
	readonly #correlator: EventCorrelator;
	readonly #queue = new FifoQueue<Correlated>();
	/**
	 * By namespace and name of each Event that is being written: what to write next, if that is known. Writes
	 * of one Event never overlap, as in client-go: the patch that raises a count would overtake the create.
	 */
	readonly #writing = new Map<string, Correlated | undefined>();
	/** How many Events were discarded since the queue was last full. */
	#discarded = 0;
	#serial: bigint;

	constructor(options: EventRecorderOptions) {
		this.#options = options;
		this.#correlator = new EventCorrelator(options.clock);
		this.#serial = firstSerial(`${options.component}/${options.host ?? ''}`);
	}

	/** Records that `text` happened to `object`. */
	event(object: KubeObject, text: EventText): void {
		if (this.#queue.size >= QUEUE_LIMIT) {
			this.#discarded += 1;
			return;
		}
		const correlated = this.#correlator.correlate(this.#build(object, text));
		if (!correlated) return;
		this.#queue.push(correlated);
		this.#pump();
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

	#pump(): void {
		while (this.#writing.size < FEWEST_IN_FLIGHT + this.#queue.size / WAITING_PER_WRITER) {
			const next = this.#queue.shift();
			if (!next) {
				this.#reportDiscarded();
				return;
			}
			const { namespace = '', name = '' } = next.event.metadata;
			const key = `${namespace}/${name}`;
			// A repeat has the whole count in it, so only the last one of those that wait needs to be written.
			if (this.#writing.has(key)) this.#writing.set(key, next);
			else void this.#writeInTurn(key, next);
		}
	}

	/** Writes one Event, and then what was recorded of it meanwhile. */
	async #writeInTurn(key: string, first: Correlated): Promise<void> {
		for (let next: Correlated | undefined = first; next; next = this.#writing.get(key)) {
			this.#writing.set(key, undefined);
			await this.#write(next);
		}
		this.#writing.delete(key);
		this.#pump();
	}

	/** Reports discarded Events once the queue is empty again: one report for a whole flood. */
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
				repeats && (await exists(target.patch(name, 'strategic', { count, lastTimestamp, message })));
			// An Event that was repeated may have expired, or never have been written.
			if (!isCounted) await target.create(event);
		} catch (error) {
			if (!isRefusal(error)) onError?.(error);
		}
	}
}

/** Resolves to whether the object of `write` exists; rejects with every other error. */
async function exists(write: Promise<unknown>): Promise<boolean> {
	try {
		await write;
		return true;
	} catch (error) {
		if (isApiError(error, 'NotFound')) return false;
		throw error;
	}
}

/** Recorders count from places of their own: two that speak of one object at once must not take one name. */
function firstSerial(who: string): bigint {
	let hash = 0;
	for (const character of who) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 1_000_003;
	return BigInt(hash);
}

/** What an {@link EventRecorder} is made of. */
export interface EventRecorderOptions {
	readonly client: Client;
	readonly clock: Clock;
	/** Who speaks: `job-controller`, `kubelet`, … */
	readonly component: string;
	/** The node it speaks from, for the components of a node. */
	readonly host?: string;
	/** Told of Events that could not be written, refusals by a namespace that is going away excepted. */
	readonly onError?: (error: unknown) => void;
}

function isRefusal(error: unknown): boolean {
	return isApiError(error, 'Forbidden') || isApiError(error, 'NotFound');
}
