import type { KubeObject, OwnerReference } from './object-meta.ts';

/** The reference to the object that controls this one, if one does. */
export function controllerOf({ metadata }: KubeObject): OwnerReference | undefined {
	return metadata.ownerReferences?.find(({ controller }) => controller);
}

/** The reference by which an object belongs to the controller that made it (upstream's NewControllerRef). */
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
