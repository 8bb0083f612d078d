import type { ResourceDefinition } from '../api/contract/resource-definition.ts';
import { conflict, notFound } from '../api/errors/api-error.ts';
import type { KubeObject } from '../api/meta/object-meta.ts';
import type { ResourceClient } from './client.ts';

/**
 * Rejects with NotFound or Conflict if `owner`, which comes from a cache, was deleted or replaced, or is being deleted
 * meanwhile. A controller calls it before `owner` adopts an object, which the garbage collector would otherwise delete
 * (upstream: RecheckDeletionTimestamp).
 */
export async function checkOwner<T extends KubeObject>(
	owners: Pick<ResourceClient<T>, 'get'>,
	{ group, resource }: Pick<ResourceDefinition<T>, 'group' | 'resource'>,
	owner: T,
): Promise<void> {
	const { name = '', uid, deletionTimestamp } = owner.metadata;
	const subject = { group, resource, name };
	const current = await owners.get(name);
	if (current.metadata.uid !== uid) throw notFound(subject);
	if (current.metadata.deletionTimestamp && !deletionTimestamp)
		throw conflict(subject, 'it is being deleted');
}
