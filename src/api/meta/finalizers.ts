import { isList, isRecord } from '../../base/json/json.ts';
import type { KubeObject } from './object-meta.ts';

/** Whether the object has finalizers, whose controllers must act before the object may be removed. */
export function awaitsFinalizers(object: KubeObject): boolean {
	return (object.metadata.finalizers?.length ?? 0) > 0 || namespaceFinalizers(object).length > 0;
}

/**
 * A Namespace also has finalizers in its spec: that of the namespace controller, which removes it once the
 * Namespace is empty.
 */
function namespaceFinalizers(object: KubeObject): readonly unknown[] {
	if (object.kind !== 'Namespace' || object.apiVersion !== 'v1' || !('spec' in object)) return [];
	const finalizers = isRecord(object.spec) ? object.spec.finalizers : undefined;
	return isList(finalizers) ? finalizers : [];
}
