import type { ResourceDefinition } from '../../api/contract/resource-definition.ts';
import {
	type ApiError,
	alreadyExists,
	conflict,
	STALE_OBJECT,
	type Subject,
} from '../../api/errors/api-error.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { KeyExistsError, RevisionMismatchError } from '../../store/store.ts';
import type { ServerContext } from '../context.ts';
import { reworded } from '../errors.ts';
import type { ResourceRequest } from '../request.ts';
import { checkSize } from './object-size.ts';
import { PendingWrite, StoredObject } from './stored-object.ts';

/** The store stage: writes objects with compare-and-swap, and converts the store's errors to API errors. */

/** The subject of errors about an object: its resource, in plural. */
export function subjectOf({ group, resource }: ResourceDefinition, name: string): Subject {
	return { group, resource, name };
}

/** The same by kind: Invalid errors name the kind. */
export function kindSubjectOf({ group, kind }: ResourceDefinition, name: string): Subject {
	return { group, resource: kind, name };
}

/**
 * Stores a new object, which must be defaulted; it is frozen. Throws AlreadyExists, or RequestEntityTooLarge.
 */
export async function writeNew(
	{ store }: ServerContext,
	{ resource, definition }: ResourceRequest,
	object: KubeObject,
): Promise<StoredObject> {
	const { namespace = '', name = '' } = object.metadata;
	const key = resource.codec.key(namespace, name);
	const value = resource.codec.encode(object);
	checkSize({ definition, subresource: '', next: { object, value }, old: undefined });
	const pending = new PendingWrite(object);
	try {
		const revision = await store.write({ type: 'create', key, value, attachment: pending });
		return pending.stored ?? new StoredObject(resource.codec, { key, value, revision });
	} catch (error) {
		if (!(error instanceof KeyExistsError)) throw error;
		throw nameTaken(definition, name, resource.at(key));
	}
}

/** 409 for a name that the object `holder` has. The message says if that object is being deleted. */
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
 * if another request changed or deleted it meanwhile; the caller then retries with the latest state.
 */
export async function writeOver(
	{ store }: ServerContext,
	current: StoredObject,
	object: KubeObject,
	value: Uint8Array = current.codec.encode(object),
): Promise<StoredObject | undefined> {
	const { codec, key, revision: expected } = current;
	const pending = new PendingWrite(object);
	const write = store.write({ type: 'update', key, value, expected, attachment: pending });
	const revision = await undefinedIfChanged(write);
	if (revision === undefined) return undefined;
	return pending.stored ?? new StoredObject(codec, { key, value, revision });
}

/** Removes `current`. Resolves to its last state with the revision of the deletion; to undefined as above. */
export async function writeRemoval(
	{ store }: ServerContext,
	current: StoredObject,
): Promise<StoredObject | undefined> {
	const { key, revision: expected } = current;
	const write = store.write({ type: 'delete', key, expected });
	const revision = await undefinedIfChanged(write);
	return revision === undefined ? undefined : current.at(revision);
}

/** 409 for a write that is based on an older version than the stored one. */
export function staleObject(definition: ResourceDefinition, name: string): Error {
	return conflict(subjectOf(definition, name), STALE_OBJECT);
}

/** Resolves to undefined if the store rejected the write because the object was changed or deleted. */
async function undefinedIfChanged(write: Promise<number>): Promise<number | undefined> {
	try {
		return await write;
	} catch (error) {
		if (!(error instanceof RevisionMismatchError)) throw error;
		return undefined;
	}
}
