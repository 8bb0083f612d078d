import type { KubeObject } from '../api/meta/object-meta.ts';
import type { ResourceDefinition } from '../api/meta/resource.ts';
import { formatTime } from '../api/meta/time.ts';
import type { DeletionAct } from './deletion-plan.ts';
import { awaitsFinalizers } from './finalizers.ts';

/** Whether the resource is that of Namespaces, whose end is a matter of its own. */
export function isNamespace({ group, resource }: Pick<ResourceDefinition, 'group' | 'resource'>): boolean {
	return group === '' && resource === 'namespaces';
}

/**
 * A DELETE of a Namespace only says that it shall end: its phase becomes Terminating, nothing can be
 * created in it any more, and the namespace controller empties it and takes its finalizer off.
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

/** Whether new objects are refused in the Namespace. */
export function isTerminating(namespace: KubeObject): boolean {
	const status = statusOf(namespace);
	return 'phase' in status && status.phase === 'Terminating';
}

function statusOf(namespace: KubeObject): object {
	const status = 'status' in namespace ? namespace.status : undefined;
	return typeof status === 'object' && status !== null ? status : {};
}
