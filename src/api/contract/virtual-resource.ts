import type { KubeObject } from '../meta/object-meta.ts';
import type { ResourceDefinition } from './resource-definition.ts';

/** The names and the schema of a virtual resource. */
type VirtualNames = Pick<
	ResourceDefinition,
	'group' | 'version' | 'kind' | 'resource' | 'singular' | 'schema'
> & { readonly namespaced?: boolean };

/**
 * The definition of a resource whose objects are never stored, such as TokenReviews: clients can only create
 * one, and the response is the object with the server's answer. No rule of the definition is ever applied to
 * an object.
 */
export function virtualResource<T extends KubeObject = KubeObject>(
	names: VirtualNames,
): ResourceDefinition<T> {
	return {
		namespaced: false,
		...names,
		isVirtual: true,
		shortNames: [],
		categories: [],
		defaults: (given) => given,
		strategy: {
			prepareForCreate: (given) => given,
			prepareForUpdate: (given) => given,
			validateCreate: () => [],
			validateUpdate: () => [],
			allowUnconditionalUpdate: false,
		},
		columns: [],
		selectableFields: () => ({}),
		deletion: { defaultPropagation: 'Background' },
	};
}
