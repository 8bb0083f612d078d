/**
 * The patches by which a volume and a claim are bound to each other, in the order of the writes: volume, phase
 * of the volume, claim, status of the claim (upstream: `bind` in pv_controller.go). A binding that was
 * interrupted is completed by the next pass. Each function returns undefined if nothing has to be written.
 */

import type { PersistentVolume, PersistentVolumeSpec } from '../../api/core/persistentvolume/schema.ts';
import type { PersistentVolumeClaim } from '../../api/core/persistentvolumeclaim/schema.ts';
import { compareQuantities } from '../../api/meta/quantity.ts';
import { jsonEqual } from '../../api/schema/equality.ts';
import {
	BETA_STORAGE_PROVISIONER,
	BIND_COMPLETED,
	BOUND_BY_CONTROLLER,
	STORAGE_PROVISIONER,
} from './annotations.ts';
import { isBoundTo } from './match-volume.ts';

/** A JSON merge patch. */
export interface MergePatch {
	readonly metadata?: object;
	readonly spec?: object;
	readonly status?: object;
}

/** The reference to the claim in the spec of its volume. */
export function claimReference(claim: PersistentVolumeClaim): NonNullable<PersistentVolumeSpec['claimRef']> {
	const { namespace = '', name = '', uid = '', resourceVersion = '' } = claim.metadata;
	return { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid, resourceVersion };
}

/** Makes the volume refer to the claim (upstream: `GetBindVolumeToClaim`). */
export function volumeBindingPatch(
	volume: PersistentVolume,
	claim: PersistentVolumeClaim,
): MergePatch | undefined {
	const { claimRef } = volume.spec;
	const isReserved = isBoundTo(volume, claim);
	if (isReserved && claimRef?.uid === claim.metadata.uid) return undefined;
	const isMarked = volume.metadata.annotations?.[BOUND_BY_CONTROLLER] !== undefined;
	return {
		...(!isReserved && !isMarked && { metadata: { annotations: { [BOUND_BY_CONTROLLER]: 'yes' } } }),
		spec: { claimRef: claimReference(claim) },
	};
}

/** Makes the claim name the volume, and marks it as bound. */
export function claimBindingPatch(
	claim: PersistentVolumeClaim,
	volume: PersistentVolume,
): MergePatch | undefined {
	const { name } = volume.metadata;
	const annotations = claim.metadata.annotations ?? {};
	const isNamed = claim.spec.volumeName === name;
	if (isNamed && annotations[BIND_COMPLETED] !== undefined) return undefined;
	return {
		metadata: {
			annotations: {
				...(!isNamed && annotations[BOUND_BY_CONTROLLER] === undefined && { [BOUND_BY_CONTROLLER]: 'yes' }),
				[BIND_COMPLETED]: 'yes',
			},
		},
		...(!isNamed && { spec: { volumeName: name } }),
	};
}

/** Names the provisioner in annotations of the claim, which asks it for a volume. */
export function provisionerPatch(
	{ metadata }: PersistentVolumeClaim,
	provisioner: string,
): MergePatch | undefined {
	if (metadata.annotations?.[STORAGE_PROVISIONER] === provisioner) return undefined;
	const annotations = { [BETA_STORAGE_PROVISIONER]: provisioner, [STORAGE_PROVISIONER]: provisioner };
	return { metadata: { annotations } };
}

/** Copies what the volume offers into the status of the claim (upstream: `updateClaimStatus`). */
export function boundStatusPatch(
	claim: PersistentVolumeClaim,
	{ spec }: PersistentVolume,
): MergePatch | undefined {
	const { phase, accessModes, capacity = {}, currentVolumeAttributesClassName } = claim.status;
	const status: Record<string, unknown> = {};
	if (!jsonEqual(accessModes, spec.accessModes)) status.accessModes = spec.accessModes ?? null;
	if (phase !== 'Bound') {
		status.phase = 'Bound';
		const size = spec.capacity?.storage ?? '0';
		const isSame = capacity.storage !== undefined && compareQuantities(capacity.storage, size) === 0;
		if (!isSame) status.capacity = spec.capacity;
		const { volumeAttributesClassName } = spec;
		if (phase === 'Pending' && currentVolumeAttributesClassName !== volumeAttributesClassName) {
			status.currentVolumeAttributesClassName = volumeAttributesClassName ?? null;
		}
	}
	return Object.keys(status).length > 0 ? { status } : undefined;
}

/** Sets the phase of a claim that has no volume, and removes what it had of one. */
export function unboundStatusPatch(
	{ status }: PersistentVolumeClaim,
	phase: 'Pending' | 'Lost',
): MergePatch | undefined {
	const fields = ['accessModes', 'capacity', 'currentVolumeAttributesClassName'] as const;
	const stale = fields.filter((field) => status[field] !== undefined);
	if (status.phase === phase && stale.length === 0) return undefined;
	return { status: { phase, ...Object.fromEntries(stale.map((field) => [field, null])) } };
}

/**
 * Removes the reference of a volume to a claim that is bound to another one. A user's reservation, which the
 * volume had before it was bound, stays (upstream: `unbindVolume`).
 */
export function unbindingPatch({ metadata }: PersistentVolume): MergePatch {
	if (metadata.annotations?.[BOUND_BY_CONTROLLER] === undefined) return { spec: { claimRef: { uid: null } } };
	return { metadata: { annotations: { [BOUND_BY_CONTROLLER]: null } }, spec: { claimRef: null } };
}
