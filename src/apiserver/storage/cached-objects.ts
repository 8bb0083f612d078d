/** Reads of the cache by the definition of a resource, for the parts of the server that need its type. */

import { isOfKind, type ResourceDefinition } from '../../api/contract/resource-definition.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import type { ObjectCache } from './object-cache.ts';

/** The object with this name; undefined if there is none, or the server does not serve the resource. */
export function cachedObject<T extends KubeObject>(
	cache: Pick<ObjectCache, 'of'>,
	definition: ResourceDefinition<T>,
	{ namespace = '', name }: { readonly namespace?: string; readonly name: string },
): T | undefined {
	const object = cache.of(definition.group, definition.resource)?.get(namespace, name)?.object;
	return object && isOfKind(object, definition) ? object : undefined;
}

/** All objects of the resource; none if the server does not serve it. */
export function cachedObjects<T extends KubeObject>(
	cache: Pick<ObjectCache, 'of'>,
	definition: ResourceDefinition<T>,
): readonly T[] {
	const entries = cache.of(definition.group, definition.resource)?.all() ?? [];
	return [...entries].map(({ object }) => object).filter((object) => isOfKind(object, definition));
}

/** The objects of the resource in a namespace; none if the server does not serve it. */
export function cachedObjectsIn<T extends KubeObject>(
	cache: Pick<ObjectCache, 'of'>,
	definition: ResourceDefinition<T>,
	namespace: string,
): readonly T[] {
	const resource = cache.of(definition.group, definition.resource);
	const prefix = resource?.codec.keyPrefixOf(namespace) ?? '';
	const entries = resource?.candidates({ prefix, key: undefined }) ?? [];
	return entries.map(({ object }) => object).filter((object) => isOfKind(object, definition));
}
