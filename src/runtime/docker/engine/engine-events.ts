import { type Clock, sleep } from '../../../base/clock.ts';
import { JsonLines } from '../../../base/json/json-lines.ts';
import { stringAt } from '../../json-values.ts';
import type { EngineClient } from './engine-client.ts';

/** What follows the engine's events. */
export interface EventFollower {
	readonly client: EngineClient;
	readonly clock: Clock;
	/** The label that the containers have. */
	readonly label: string;
	/** Called for each connection before its events: what happened before must be read from the engine. */
	onConnected(): Promise<void>;
	/** Called when a connection is lost. */
	onLost(): void;
	/** Called for each event about the container with this id of the engine. */
	onEvent(engineId: string, action: string): void;
	onError(error: unknown): void;
}

const RECONNECT_MS = 500;

/**
 * Follows the engine's events about containers until `signal` aborts, over as many connections as it takes. Resolves once
 * the first connection is made and `onConnected` has resolved; rejects if that fails.
 */
export async function followEvents(follower: EventFollower, signal: AbortSignal): Promise<void> {
	const first = await connect(follower, signal);
	void (async () => {
		let stream: AsyncIterable<Uint8Array> | undefined = first;
		while (!signal.aborted) {
			if (stream) await read(follower, stream);
			if (signal.aborted) return;
			if (stream) follower.onLost();
			await sleep(follower.clock, RECONNECT_MS, signal);
			stream = await connect(follower, signal).catch((error: unknown) => {
				if (!signal.aborted) follower.onError(error);
				return undefined;
			});
		}
	})();
}

async function connect(follower: EventFollower, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
	const filters = JSON.stringify({ type: ['container'], label: [follower.label] });
	const stream = await follower.client.open('GET', '/events', { query: { filters }, signal });
	// The stream holds what comes meanwhile.
	try {
		await follower.onConnected();
	} catch (error) {
		stream.destroy();
		throw error;
	}
	return stream;
}

/** Passes the events on until the connection ends. Never rejects. */
async function read(follower: EventFollower, stream: AsyncIterable<Uint8Array>): Promise<void> {
	const lines = new JsonLines();
	try {
		for await (const chunk of stream) {
			for (const event of lines.push(chunk)) {
				const engineId = stringAt(event, 'Actor', 'ID') || stringAt(event, 'id');
				follower.onEvent(engineId, stringAt(event, 'Action') || stringAt(event, 'status'));
			}
		}
	} catch {
		// The connection was lost: the caller connects again.
	}
}
