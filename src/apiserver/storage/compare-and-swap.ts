/** The store stage: writes objects with compare-and-swap, and converts the store's errors to API errors. */

import type { ResourceDefinition } from '../../api/contract/resource-definition.ts';
import { storedDefinition } from '../../api/contract/resource-view.ts';
import {
	type ApiError,
	alreadyExists,
	badRequest,
	conflict,
	STALE_OBJECT,
	type Subject,
} from '../../api/errors/api-error.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { KeyExistsError, RevisionMismatchError, type Store } from '../../store/store.ts';
import type { ServerContext } from '../context.ts';
import { reworded } from '../errors.ts';
import type { ResourceRequest } from '../request.ts';
import { PendingWrite, StoredObject } from './stored-object.ts';

/** The subject of errors about an object: its resource, in plural. For a view it is the stored resource, as upstream. */
export function subjectOf(definition: ResourceDefinition, name: string): Subject {
	const { group, resource } = storedDefinition(definition);
	return { group, resource, name };
}

/** The same by kind: Invalid errors name the kind. */
export function kindSubjectOf(definition: ResourceDefinition, name: string): Subject {
	const { group, kind } = storedDefinition(definition);
	return { group, resource: kind, name };
}

/** An object to store and its encoding. It is defaulted; the writer freezes it. */
export interface Encoded {
	readonly object: KubeObject;
	readonly value: Uint8Array;
}

/** The resource of a new object. */
export type CreateTarget = Pick<ResourceRequest, 'resource' | 'definition'>;

/** The last stage of a write. */
export interface ObjectWriter {
	/**
	 * Stores a new object. Throws AlreadyExists. Resolves to undefined if what was allocated for it is taken; the caller then
	 * retries.
	 */
	create(target: CreateTarget, next: Encoded): Promise<StoredObject | undefined>;
	/**
	 * Replaces `current`. Resolves to undefined if another request changed or deleted it meanwhile, or if what was allocated
	 * for it is taken; the caller then retries with the latest state.
	 */
	update(current: StoredObject, next: Encoded): Promise<StoredObject | undefined>;
	/** Removes `current`. Resolves to its last state with the revision of the deletion; to undefined as above. */
	remove(current: StoredObject): Promise<StoredObject | undefined>;
}

/** Writes objects to the store, if they are still in the state that the caller saw. */
export class CompareAndSwap implements ObjectWriter {
	readonly #store: Store;

	constructor({ store }: Pick<ServerContext, 'store'>) {
		this.#store = store;
	}

	/** Throws BadRequest also for an object with a resourceVersion. */
	async create({ resource, definition }: CreateTarget, { object, value }: Encoded): Promise<StoredObject> {
		if (revisionIn(object) !== 0) {
			throw badRequest('resourceVersion should not be set on objects to be created');
		}
		const { namespace = '', name = '' } = object.metadata;
		const key = resource.codec.key(namespace, name);
		const pending = pendingOf(definition, object);
		try {
			const revision = await this.#store.write({
				type: 'create',
				key,
				value,
				...(pending && { attachment: pending }),
			});
			return pending?.stored ?? new StoredObject(resource.codec, { key, value, revision });
		} catch (error) {
			if (!(error instanceof KeyExistsError)) throw error;
			throw nameTaken(definition, name, resource.at(key));
		}
	}

	async update(current: StoredObject, { object, value }: Encoded): Promise<StoredObject | undefined> {
		const { codec, key, revision: expected } = current;
		const pending = pendingOf(codec.definition, object);
		const write = this.#store.write({
			type: 'update',
			key,
			value,
			expected,
			...(pending && { attachment: pending }),
		});
		const revision = await undefinedIfChanged(write);
		if (revision === undefined) return undefined;
		return pending?.stored ?? new StoredObject(codec, { key, value, revision });
	}

	async remove(current: StoredObject): Promise<StoredObject | undefined> {
		const { key, revision: expected } = current;
		const revision = await undefinedIfChanged(this.#store.write({ type: 'delete', key, expected }));
		return revision === undefined ? undefined : current.at(revision);
	}
}

/** The revision in the metadata of a new object; 0 for text that is not a number, as upstream. */
export function revisionIn({ metadata: { resourceVersion = '' } }: KubeObject): number {
	return /^\d+$/.test(resourceVersion) ? Number(resourceVersion) : 0;
}

/** Carries the object beside its bytes. One of a view is not in the stored form: the cache decodes the bytes. */
function pendingOf({ view }: ResourceDefinition, object: KubeObject): PendingWrite | undefined {
	return view ? undefined : new PendingWrite(object);
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
