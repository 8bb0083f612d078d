/** What admission changes in claims and volumes, and refuses: rules that need more than the object itself. */

import type { PersistentVolume } from '../../api/core/persistentvolume/schema.ts';
import { classOfClaim, namesClass } from '../../api/core/persistentvolumeclaim/claim-class.ts';
import type { PersistentVolumeClaim } from '../../api/core/persistentvolumeclaim/schema.ts';
import { compareQuantities } from '../../api/meta/quantity.ts';
import { formatTime } from '../../api/meta/time.ts';
import { defaultClassOf } from '../../api/storage/storageclass/definition.ts';
import type { StorageClass } from '../../api/storage/storageclass/schema.ts';
import { sizeOf } from './match-volume.ts';

/** The claim with the default class, if it names none (upstream: the DefaultStorageClass plugin). */
export function withDefaultClass(
	claim: PersistentVolumeClaim,
	classes: readonly StorageClass[],
): PersistentVolumeClaim {
	if (namesClass(claim)) return claim;
	const { name } = defaultClassOf(classes)?.metadata ?? {};
	return name === undefined ? claim : { ...claim, spec: { ...claim.spec, storageClassName: name } };
}

/**
 * The volume with the time at which its phase began, unless the client sets that (upstream: the status strategy of
 * PersistentVolumes; strategies have no clock here).
 */
export function withPhaseTime(
	volume: PersistentVolume,
	old: PersistentVolume,
	now: number,
): PersistentVolume {
	const { phase, lastPhaseTransitionTime: given } = volume.status;
	const before = old.status.lastPhaseTransitionTime;
	const isSame = phase === old.status.phase;
	if (isSame ? given !== undefined || before === undefined : given !== undefined && given !== before) {
		return volume;
	}
	const since = isSame ? before : formatTime(now);
	return { ...volume, status: { ...volume.status, ...(since && { lastPhaseTransitionTime: since }) } };
}

/** Why the claim must not grow; undefined if it may, or does not (upstream: the PersistentVolumeClaimResize plugin). */
export function refusalOfGrowth(
	claim: PersistentVolumeClaim,
	old: PersistentVolumeClaim,
	classes: readonly StorageClass[],
): string | undefined {
	if (compareQuantities(sizeOf(claim), sizeOf(old)) <= 0) return undefined;
	if (old.status.phase !== 'Bound') return 'Only bound persistent volume claims can be expanded';
	const name = classOfClaim(claim);
	const isSame = name === classOfClaim(old);
	const found = isSame ? classes.find(({ metadata }) => metadata.name === name) : undefined;
	return found?.allowVolumeExpansion
		? undefined
		: 'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize';
}
