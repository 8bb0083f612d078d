import { notFound } from '../api/meta/api-error.ts';
import { type BackoffPolicy, backoffDelayMs } from '../base/backoff.ts';
import { sleep } from '../base/clock.ts';
import type { ServerContext } from './context.ts';
import type { ResourceRequest } from './request.ts';
import { StoredObject } from './stored-object.ts';
import { staleObject, subjectOf } from './write.ts';

/** How often a change is tried at once, and how often in all. */
const ATTEMPTS_WITHOUT_PAUSE = 30;
const MOST_ATTEMPTS = 100;

/** The pauses between the later attempts: 5 seconds in all, when each one fails. */
const PAUSE: BackoffPolicy = { baseMs: 1, capMs: 100 };

/**
 * Changes the object that a request names: calls `attempt` with its current state, and again with the next
 * state each time another writer was faster (`attempt` resolves to undefined then). Resolves to what
 * `attempt` does. Throws NotFound once the object is gone, and Conflict when others are faster again and
 * again; upstream's GuaranteedUpdate has no such limit.
 *
 * The state comes from the cache. Where the cache has not heard of the other change yet (the store may be
 * in another process), it comes from the store, so an attempt is never made twice from the same state.
 */
export async function changeLatest<T>(
	server: ServerContext,
	request: ResourceRequest,
	attempt: (current: StoredObject) => Promise<T | undefined>,
): Promise<T> {
	const { resource, definition, namespace, name } = request;
	let current = resource.get(namespace, name);
	for (let attempts = 1; current; attempts++) {
		const done = await attempt(current);
		if (done !== undefined) return done;
		if (attempts >= MOST_ATTEMPTS) throw staleObject(definition, name);
		if (attempts >= ATTEMPTS_WITHOUT_PAUSE) await pause(server, attempts - ATTEMPTS_WITHOUT_PAUSE + 1);
		current = await stateAfter(server, request, current);
	}
	throw notFound(subjectOf(definition, name));
}

/** The state of the object after another writer has changed or removed `previous`. */
async function stateAfter(
	{ store, cache }: ServerContext,
	{ resource }: ResourceRequest,
	previous: StoredObject,
): Promise<StoredObject | undefined> {
	const { key, codec } = previous;
	const cached = resource.at(key);
	if ((cached?.revision ?? cache.revision) > previous.revision) return cached;
	const entry = await store.get(key);
	return entry && new StoredObject(codec, { key, value: entry.value, revision: entry.revision });
}

/** Writers that meet again and again draw the lengths of their pauses, so that they part. */
async function pause({ clock, random }: ServerContext, count: number): Promise<void> {
	await sleep(clock, backoffDelayMs(PAUSE, count) * (0.5 + random.next() / 2));
}
