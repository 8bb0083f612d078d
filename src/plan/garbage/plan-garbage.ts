import type { KubeObject, OwnerReference } from '../../api/meta/object-meta.ts';
import { FOREGROUND_FINALIZER, ORPHAN_FINALIZER } from '../../api/meta/validate-meta.ts';

/**
 * What is to be done about an object because of its owners and dependents, by the rules of upstream's
 * garbage collector (attemptToDeleteItem, orphanDependents, processDeletingDependentsItem).
 */

/**
 * How an owner stands: there, there but waiting for its dependents to go, gone for good, or nothing that
 * can be known: its kind is not served here, or a reference of that form cannot lead to one.
 */
export type OwnerState = 'present' | 'waiting' | 'gone' | 'unknown';

/** An object with what the collector knows about its surroundings. */
export interface GarbageSnapshot {
	readonly object: KubeObject;
	readonly owners: readonly { readonly reference: OwnerReference; readonly state: OwnerState }[];
	readonly dependents: readonly KubeObject[];
}

/** The one thing to do next, and why. */
export type GarbagePlan = { readonly because: string } & (
	| { readonly kind: 'keep' }
	/** Delete the object itself; first, if `unblock`, let its owners go without waiting for it. */
	| {
			readonly kind: 'delete';
			readonly propagation: 'Background' | 'Foreground' | 'Orphan';
			readonly unblock: boolean;
	  }
	/** Take references to these owners off the object. */
	| { readonly kind: 'dropOwners'; readonly uids: readonly string[] }
	/** Take this object off its dependents' owners, then the orphan finalizer off it. */
	| { readonly kind: 'orphan'; readonly dependents: readonly KubeObject[] }
	/** Look at these dependents: the object waits for them. */
	| { readonly kind: 'await'; readonly dependents: readonly KubeObject[] }
	/** Take the foreground finalizer off the object: nothing blocks it any more. */
	| { readonly kind: 'release' }
);

/** Decides; the first rule that applies wins. */
export function planGarbage(seen: GarbageSnapshot): GarbagePlan {
	const { object, owners, dependents } = seen;
	const deleting = object.metadata.deletionTimestamp !== undefined;
	if (deleting && hasFinalizer(object, ORPHAN_FINALIZER)) {
		return { kind: 'orphan', dependents, because: 'it is deleted and its dependents are to be kept' };
	}
	if (isWaitingForDependents(object)) return planForeground(object, dependents);
	if (deleting) return { kind: 'keep', because: 'it is being deleted already' };
	if (owners.length === 0) return { kind: 'keep', because: 'it has no owner' };
	return planOwned(seen);
}

/** Whether the object is deleted in the foreground, so that it waits for its dependents. */
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
		// Those that wait themselves are known of; to look at them again would go round in a circle of owners.
		dependents: blocking.filter((dependent) => !isWaitingForDependents(dependent)),
		because: `${blocking.length} dependent(s) block its deletion`,
	};
}

function planOwned({ object, owners, dependents }: GarbageSnapshot): GarbagePlan {
	if (owners.some(({ state }) => state === 'unknown')) {
		return { kind: 'keep', because: 'nothing is known of one of its owners' };
	}
	const leaving = owners.filter(({ state }) => state !== 'present');
	if (leaving.length === 0) return { kind: 'keep', because: 'its owners are there' };
	if (leaving.length < owners.length) {
		const uids = leaving.map(({ reference }) => reference.uid);
		return { kind: 'dropOwners', uids, because: 'another owner is still there' };
	}
	if (dependents.length > 0 && leaving.some(({ state }) => state === 'waiting')) {
		return {
			kind: 'delete',
			propagation: 'Foreground',
			// Else objects that own each other would wait for each other.
			unblock: dependents.some(isWaitingForDependents),
			because: 'its owner waits for it and what depends on it',
		};
	}
	return {
		kind: 'delete',
		propagation: propagationOf(object),
		unblock: false,
		because: 'its owners are gone or wait for it',
	};
}

/** An object that carries a propagation finalizer of its own is deleted that way. */
function propagationOf(object: KubeObject): 'Background' | 'Foreground' | 'Orphan' {
	if (hasFinalizer(object, ORPHAN_FINALIZER)) return 'Orphan';
	return hasFinalizer(object, FOREGROUND_FINALIZER) ? 'Foreground' : 'Background';
}

function hasFinalizer(object: KubeObject, finalizer: string): boolean {
	return object.metadata.finalizers?.includes(finalizer) ?? false;
}
