import type { KubeObject } from '../api/meta/object-meta.ts';

/** Whether somebody still has to act before the object may be removed. */
export function awaitsFinalizers(object: KubeObject): boolean {
	return (object.metadata.finalizers?.length ?? 0) > 0 || namespaceFinalizers(object).length > 0;
}

/** A Namespace has finalizers in its spec too: the namespace controller's, gone once it is empty. */
function namespaceFinalizers(object: KubeObject): readonly unknown[] {
	if (object.kind !== 'Namespace' || object.apiVersion !== 'v1' || !('spec' in object)) return [];
	const { spec } = object;
	if (typeof spec !== 'object' || spec === null || !('finalizers' in spec)) return [];
	return Array.isArray(spec.finalizers) ? spec.finalizers : [];
}
