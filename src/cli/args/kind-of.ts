import { apiVersionOf, type ResourceDefinition } from '../../api/contract/resource-definition.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';

/**
 * Whether `object` is of the kind of `definition`. The other fields are not checked: the server validated
 * them.
 */
export function isOf<T extends KubeObject>(
	definition: ResourceDefinition<T>,
	object: KubeObject,
): object is T {
	return object.kind === definition.kind && object.apiVersion === apiVersionOf(definition);
}
