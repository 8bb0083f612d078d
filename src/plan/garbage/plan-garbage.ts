/**
 * Decides what the garbage collector does with one object because of its owners and dependents. Follows
 * upstream's attemptToDeleteItem, orphanDependents and processDeletingDependentsItem
 * (pkg/controller/garbagecollector).
 */

import type { KubeObject, OwnerReference } from '../../api/meta/object-meta.ts';
import { FOREGROUND_FINALIZER, ORPHAN_FINALIZER } from '../../api/meta/validate-meta.ts';

/**
 * The state of an owner.
 * - `present`: it exists.
 * - `waiting`: it is being deleted in the foreground and waits until its dependents are deleted.
 * - `gone`: it does not exist.
 * - `unknown`: its state cannot be determined, because its kind is not served or the reference is invalid.
 */
export type OwnerState = 'present' | 'waiting' | 'gone' | 'unknown';

/** An object, the states of its owners, and its dependents. */
export interface GarbageSnapshot {
	readonly object: KubeObject;
	readonly owners: readonly { readonly reference: OwnerReference; readonly state: OwnerState }[];
	readonly dependents: readonly KubeObject[];
}

/** The next action for the object, and its reason. */
export type GarbagePlan = { readonly because: string } & (
	| { readonly kind: 'keep' }
	/** Delete the object. If `unblock`, first set blockOwnerDeletion to false in its owner references. */
	| {
			readonly kind: 'delete';
			readonly propagation: 'Background' | 'Foreground' | 'Orphan';
			readonly unblock: boolean;
	  }
	/** Remove the references to these owners from the object. */
	| { readonly kind: 'dropOwners'; readonly uids: readonly string[] }
	/**
	 * Remove the owner reference to this object from the dependents, then the orphan finalizer from the object.
	 */
	| { readonly kind: 'orphan'; readonly dependents: readonly KubeObject[] }
	/** Queue these dependents: the deletion of the object waits for them. */
	| { readonly kind: 'await'; readonly dependents: readonly KubeObject[] }
	/** Remove the foregroundDeletion finalizer from the object: no dependent blocks its deletion. */
	| { readonly kind: 'release' }
);

/** Plans for one object; the first matching rule decides. */
export function planGarbage(seen: GarbageSnapshot): GarbagePlan {
	const { object, owners, dependents } = seen;
	const deleting = object.metadata.deletionTimestamp !== undefined;
	if (deleting && hasFinalizer(object, ORPHAN_FINALIZER)) {
		return { kind: 'orphan', dependents, because: 'it is being deleted and its dependents are orphaned' };
	}
	if (isWaitingForDependents(object)) return planForeground(object, dependents);
	if (deleting) return { kind: 'keep', because: 'it is being deleted already' };
	if (owners.length === 0) return { kind: 'keep', because: 'it has no owner' };
	return planOwned(seen);
}

/** Whether the object is being deleted in the foreground, so that it waits for its dependents. */
export function isWaitingForDependents(object: KubeObject): boolean {
	return object.metadata.deletionTimestamp !== undefined && hasFinalizer(object, FOREGROUND_FINALIZER);
}

function planForeground(object: KubeObject, dependents: readonly KubeObject[]): GarbagePlan {
	const blocking = dependents.filter((dependent) =>
		dependent.metadata.ownerReferences?.some(
			(owner) => owner.uid === object.metadata.uid && owner.blockOwnerDeletion,
		),
	);
	if (blocking.length === 0) return { kind: 'release', because: 'no dependent blocks its deletion' };
	return {
		kind: 'await',
		// Dependents that wait themselves are queued already. With a cycle of owners, queueing them again would
		// never end.
		dependents: blocking.filter((dependent) => !isWaitingForDependents(dependent)),
		because: `${blocking.length} dependent(s) block its deletion`,
	};
}

function planOwned({ object, owners, dependents }: GarbageSnapshot): GarbagePlan {
	if (owners.some(({ state }) => state === 'unknown')) {
		return { kind: 'keep', because: 'the state of one of its owners is unknown' };
	}
	const absent = owners.filter(({ state }) => state !== 'present');
	if (absent.length === 0) return { kind: 'keep', because: 'its owners exist' };
	if (absent.length < owners.length) {
		const uids = absent.map(({ reference }) => reference.uid);
		return { kind: 'dropOwners', uids, because: 'another owner exists' };
	}
	if (dependents.length > 0 && absent.some(({ state }) => state === 'waiting')) {
		return {
			kind: 'delete',
			propagation: 'Foreground',
			// Otherwise objects that own each other would wait for each other forever.
			unblock: dependents.some(isWaitingForDependents),
			because: 'its owner waits for it and for its dependents',
		};
	}
	return {
		kind: 'delete',
		propagation: propagationOf(object),
		unblock: false,
		because: 'its owners are gone or wait for it',
	};
}

/** The propagation policy: the object's own propagation finalizer decides, otherwise Background. */
function propagationOf(object: KubeObject): 'Background' | 'Foreground' | 'Orphan' {
	if (hasFinalizer(object, ORPHAN_FINALIZER)) return 'Orphan';
	return hasFinalizer(object, FOREGROUND_FINALIZER) ? 'Foreground' : 'Background';
}

function hasFinalizer(object: KubeObject, finalizer: string): boolean {
	return object.metadata.finalizers?.includes(finalizer) ?? false;
}
