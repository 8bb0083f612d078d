import type { ResourceDefinition } from '../../api/contract/resource-definition.ts';
import { awaitsFinalizers } from '../../api/meta/finalizers.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { formatTime } from '../../api/meta/time.ts';
import { isRecord, type JsonRecord } from '../../base/json/json.ts';
import type { DeletionAct } from './plan-deletion.ts';

/** Whether the resource is Namespaces, which have a deletion process of their own. */
export function isNamespace({ group, resource }: Pick<ResourceDefinition, 'group' | 'resource'>): boolean {
	return group === '' && resource === 'namespaces';
}

/**
 * Decides what a DELETE of a Namespace does. The first one sets the deletionTimestamp and the phase
 * Terminating. Admission then rejects new objects in it, and the namespace controller deletes its contents
 * and removes its finalizer. Without finalizers a further DELETE removes it.
 */
export function terminateNamespace(namespace: KubeObject, now: number): DeletionAct {
	const { metadata } = namespace;
	if (metadata.deletionTimestamp !== undefined) {
		return awaitsFinalizers(namespace) ? { kind: 'pending' } : { kind: 'remove', object: namespace };
	}
	const marked = {
		...namespace,
		metadata: { ...metadata, deletionTimestamp: formatTime(now) },
		status: { ...statusOf(namespace), phase: 'Terminating' },
	};
	return { kind: 'mark', object: marked };
}

/** Whether the Namespace is being deleted, so that no objects may be created in it. */
export function isTerminating(namespace: KubeObject): boolean {
	const status = statusOf(namespace);
	return status.phase === 'Terminating';
}

function statusOf(namespace: KubeObject): JsonRecord {
	const status = 'status' in namespace ? namespace.status : undefined;
	return isRecord(status) ? status : {};
}
