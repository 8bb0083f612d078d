import { notFound } from '../../api/errors/api-error.ts';
import { sleep } from '../../base/clock.ts';
import { type BackoffPolicy, backoffDelayMs } from '../../base/queue/backoff.ts';
import type { ServerContext } from '../context.ts';
import type { ResourceRequest } from '../request.ts';
import { staleObject, subjectOf } from './compare-and-swap.ts';
import { StoredObject } from './stored-object.ts';

/** Number of attempts without a pause, and in all. */
const ATTEMPTS_WITHOUT_PAUSE = 30;
const MOST_ATTEMPTS = 100;

/** Backoff between the later attempts: 5 seconds in all if each one fails. */
const PAUSE: BackoffPolicy = { baseMs: 1, capMs: 100 };

/**
 * Changes the object that a request names (upstream: GuaranteedUpdate in the etcd3 storage). Calls `attempt`
 * with the current state of the object; `attempt` resolves to undefined if another writer was faster, and is
 * then called again with the latest state. Resolves to the result of `attempt`. Throws NotFound once the object
 * is deleted, and Conflict after 100 attempts; upstream retries without limit.
 *
 * The state comes from the cache. If the cache has not received the other change yet (the store may be in
 * another process), the state is read from the store. So an attempt is repeated with the same state only if another
 * writer took what was allocated for it.
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

/**
 * The state of the object after another writer has changed or deleted `previous`; undefined if it is deleted.
 */
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

/** The pauses are random, so that writers which conflict with each other do not retry at the same moments. */
async function pause({ clock, random }: ServerContext, count: number): Promise<void> {
	await sleep(clock, backoffDelayMs(PAUSE, count) * (0.5 + random.next() / 2));
}
