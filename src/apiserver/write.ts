import { type ApiError, alreadyExists, conflict, STALE_OBJECT, type Subject } from '../api/meta/api-error.ts';
import type { KubeObject } from '../api/meta/object-meta.ts';
import type { ResourceDefinition } from '../api/meta/resource.ts';
import { KeyExistsError, RevisionMismatchError } from '../store/store.ts';
import type { ServerContext } from './context.ts';
import { reworded } from './errors.ts';
import { checkSize } from './object-size.ts';
import type { ResourceRequest } from './request.ts';
import { StoredObject, WriteTicket } from './stored-object.ts';

/** The store stage: objects to writes, and the store's refusals to the API's errors. */

/** What errors call the object of a request: by its plural resource. */
export function subjectOf({ group, resource }: ResourceDefinition, name: string): Subject {
	return { group, resource, name };
}

/** The same by kind, which is how Invalid names it. */
export function kindSubjectOf({ group, kind }: ResourceDefinition, name: string): Subject {
	return { group, resource: kind, name };
}

/** Writes a new object (defaulted; it is frozen). Throws AlreadyExists, or RequestEntityTooLarge. */
export async function writeNew(
	{ store }: ServerContext,
	{ resource, definition }: ResourceRequest,
	object: KubeObject,
): Promise<StoredObject> {
	const { namespace = '', name = '' } = object.metadata;
	const key = resource.codec.key(namespace, name);
	const value = resource.codec.encode(object);
	checkSize({ definition, subresource: '', next: { object, value }, old: undefined });
	const ticket = new WriteTicket(object);
	try {
		const revision = await store.write({ type: 'create', key, value, companion: ticket });
		return ticket.stored ?? new StoredObject(resource.codec, { key, value, revision });
	} catch (error) {
		if (!(error instanceof KeyExistsError)) throw error;
		throw nameTaken(definition, name, resource.at(key));
	}
}

/** 409 for a name that `holder` has; says so if that one is on its way out. */
export function nameTaken(
	definition: ResourceDefinition,
	name: string,
	holder: StoredObject | undefined,
): ApiError {
	const taken = alreadyExists(subjectOf(definition, name));
	if (!holder?.object.metadata.deletionTimestamp) return taken;
	return reworded(taken, { message: `object is being deleted: ${taken.message}` });
}

/**
 * Replaces `current` by `object` (defaulted; it is frozen), which is stored as `value`. Resolves to undefined
 * when another request changed or removed it meanwhile: look again.
 */
export async function writeOver(
	{ store }: ServerContext,
	current: StoredObject,
	object: KubeObject,
	value: Uint8Array = current.codec.encode(object),
): Promise<StoredObject | undefined> {
	const { codec, key, revision: expected } = current;
	const ticket = new WriteTicket(object);
	const write = store.write({ type: 'update', key, value, expected, companion: ticket });
	const revision = await unlessChanged(write);
	if (revision === undefined) return undefined;
	return ticket.stored ?? new StoredObject(codec, { key, value, revision });
}

/** Removes `current`, and resolves to how it was with its last resourceVersion; undefined as above. */
export async function writeRemoval(
	{ store }: ServerContext,
	current: StoredObject,
): Promise<StoredObject | undefined> {
	const { key, revision: expected } = current;
	const write = store.write({ type: 'delete', key, expected });
	const revision = await unlessChanged(write);
	return revision === undefined ? undefined : current.at(revision);
}

/** 409 for a write from an older version than the stored one. */
export function staleObject(definition: ResourceDefinition, name: string): Error {
	return conflict(subjectOf(definition, name), STALE_OBJECT);
}

/** Resolves to undefined where the store refused the write because the object was changed or removed. */
async function unlessChanged(write: Promise<number>): Promise<number | undefined> {
	try {
		return await write;
	} catch (error) {
		if (!(error instanceof RevisionMismatchError)) throw error;
		return undefined;
	}
}
