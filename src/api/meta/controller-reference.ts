import type { KubeObject, OwnerReference } from './object-meta.ts';

/**
 * The owner reference to the controller of an object; undefined if it has none (upstream: GetControllerOf).
 */
export function controllerOf({ metadata }: KubeObject): OwnerReference | undefined {
	return metadata.ownerReferences?.find(({ controller }) => controller);
}

/** The owner reference to set in an object that the given one controls (upstream: NewControllerRef). */
export function controllerReferenceTo({ apiVersion, kind, metadata }: KubeObject): OwnerReference {
	return {
		apiVersion,
		kind,
		name: metadata.name ?? '',
		uid: metadata.uid ?? '',
		controller: true,
		blockOwnerDeletion: true,
	};
}
