import type { EventText } from '../../api/core/event/event-text.ts';
import type { PersistentVolume } from '../../api/core/persistentvolume/schema.ts';
import type { PersistentVolumeClaim } from '../../api/core/persistentvolumeclaim/schema.ts';
import { compareQuantities } from '../../api/meta/quantity.ts';
import { formatTime } from '../../api/meta/time.ts';
import { sizeOf } from './match-volume.ts';

/**
 * How bound claims grow. A claim requests a larger size; the provisioner of its volume expands that and reports the
 * new size in the statuses of both (upstream: the external-resizer, expand_and_recover.go and resize_status.go, for a
 * driver whose volumes need no further step on the node).
 */

type ClaimStatus = PersistentVolumeClaim['status'];

/** The conditions about an expansion (upstream: `knownResizeConditions`). */
const RESIZE_CONDITIONS: ReadonlySet<string> = new Set([
	'Resizing',
	'FileSystemResizePending',
	'ControllerResizeError',
	'NodeResizeError',
]);

const IN_PROGRESS = 'ControllerResizeInProgress';

/** The event of a claim that must grow, as long as no other component has begun with it. */
export const WAITS_FOR_EXPANSION: EventText = {
	type: 'Normal',
	reason: 'ExternalExpanding',
	message: 'waiting for an external controller to expand this PVC',
};

/** The event of a claim whose expansion begins. */
export function expandingEvent(volumeName: string): EventText {
	return { type: 'Normal', reason: 'Resizing', message: `External resizer is resizing volume ${volumeName}` };
}

/** The event of a claim whose expansion has ended. */
export const EXPANDED: EventText = {
	type: 'Normal',
	reason: 'VolumeResizeSuccessful',
	message: 'Resize volume succeeded',
};

/** Whether the claim is bound and requests more than its volume has. */
export function wantsExpansion(claim: PersistentVolumeClaim): boolean {
	const { phase, capacity } = claim.status;
	if (phase !== 'Bound' || !claim.spec.volumeName) return false;
	return compareQuantities(sizeOf(claim), capacity?.storage ?? '0') > 0;
}

/**
 * The size to which the volume is expanded for the claim; undefined if it is not. An expansion that has begun is
 * finished with its own size, even if the claim requests another one by now.
 */
export function expansionSize(
	claim: PersistentVolumeClaim,
	volume: PersistentVolume | undefined,
): string | undefined {
	if (!wantsExpansion(claim) || volume?.spec.claimRef?.uid !== claim.metadata.uid) return undefined;
	const { allocatedResources, allocatedResourceStatuses } = claim.status;
	const hasBegun = allocatedResourceStatuses?.storage === IN_PROGRESS;
	return (hasBegun && allocatedResources?.storage) || sizeOf(claim);
}

/** The volume's part of the expansion: its new capacity; undefined if it has that already. */
export function expandedVolumePatch({ spec }: PersistentVolume, size: string): object | undefined {
	if (compareQuantities(spec.capacity?.storage ?? '0', size) >= 0) return undefined;
	return { spec: { capacity: { storage: size } } };
}

/** The patch of the status of a claim whose expansion begins; undefined if it has begun. */
export function expandingPatch(
	{ status }: PersistentVolumeClaim,
	size: string,
	now: number,
): { readonly status: object } | undefined {
	const { allocatedResourceStatuses, allocatedResources } = status;
	if (allocatedResourceStatuses?.storage === IN_PROGRESS && allocatedResources?.storage === size)
		return undefined;
	const lastTransitionTime = formatTime(now);
	return {
		status: {
			conditions: [...otherConditions(status), { type: 'Resizing', status: 'True', lastTransitionTime }],
			allocatedResources: { storage: size },
			allocatedResourceStatuses: { storage: IN_PROGRESS },
		},
	};
}

/** The patch of the status of a claim whose volume has the new size. */
export function expandedPatch({ status }: PersistentVolumeClaim, size: string): { readonly status: object } {
	return {
		status: {
			capacity: { storage: size },
			conditions: otherConditions(status),
			allocatedResourceStatuses: { storage: null },
		},
	};
}

function otherConditions({ conditions = [] }: ClaimStatus): NonNullable<ClaimStatus['conditions']> {
	return conditions.filter(({ type }) => !RESIZE_CONDITIONS.has(type));
}
