import type { PersistentVolume } from '../../../api/core/persistentvolume/schema.ts';
import type { PersistentVolumeClaim } from '../../../api/core/persistentvolumeclaim/schema.ts';
import type { Pod, Volume } from '../../../api/core/pod/schema.ts';
import type { VolumeSetUp } from './volume-kinds.ts';

/**
 * From a volume that names a PersistentVolumeClaim to the storage behind it (upstream: `createVolumeSpec` in the
 * volume manager's desired_state_of_world_populator.go).
 */

/** The claim of a volume and the PersistentVolume that the claim names; absent if they do not exist. */
export interface ClaimObjects {
	readonly claim: PersistentVolumeClaim | undefined;
	readonly volume: PersistentVolume | undefined;
}

/**
 * A volume's claim cannot be used yet. The Pod waits with an event FailedMount, in which the message, which is
 * upstream's, follows `Unable to attach or mount volumes`.
 */
export class ClaimError extends Error {
	override readonly name = 'ClaimError';
}

/** The name of the claim that the volume uses, and whether all its mounts are read-only; undefined for other volumes. */
export function claimOf(
	{ metadata }: Pod,
	{ name, persistentVolumeClaim, ephemeral }: Volume,
): { readonly name: string; readonly readOnly: boolean } | undefined {
	if (persistentVolumeClaim) {
		const { claimName, readOnly = false } = persistentVolumeClaim;
		return { name: claimName, readOnly };
	}
	// The ephemeral volume controller creates a claim of this name.
	return ephemeral && { name: `${metadata.name}-${name}`, readOnly: false };
}

/** How the storage behind the claim of `volume` is set up. Throws ClaimError if the claim cannot be used yet. */
export function claimedSetUp(pod: Pod, volume: Volume, found: ClaimObjects): VolumeSetUp {
	const claim = claimOf(pod, volume);
	const storage = storageOf(pod, volume, found);
	const { name = '' } = storage.metadata;
	const { hostPath, local, accessModes = [] } = storage.spec;
	const rest = {
		name: volume.name,
		readOnly: claim?.readOnly ?? false,
		persistent: { name, isExclusive: accessModes.length === 1 && accessModes[0] === 'ReadWriteOncePod' },
	};
	if (hostPath) return { ...rest, kind: 'hostPath', path: hostPath.path, type: hostPath.type ?? '' };
	if (local) return { ...rest, kind: 'local', path: local.path };
	throw new ClaimError(
		`failed to get Plugin from volumeSpec for volume "${name}" err=no volume plugin matched`,
	);
}

/** The PersistentVolume that is bound to the claim, of the mode that the containers need. */
function storageOf(pod: Pod, volume: Volume, { claim, volume: storage }: ClaimObjects): PersistentVolume {
	const { namespace = '' } = pod.metadata;
	const name = claimOf(pod, volume)?.name ?? '';
	const fail = (why: string): never => {
		throw new ClaimError(`error processing PVC ${namespace}/${name}: ${why}`);
	};
	if (!claim) {
		return fail(`failed to fetch PVC from API server: persistentvolumeclaims "${name}" not found`);
	}
	const why = notBound(claim);
	if (why !== undefined) return fail(why);
	if (volume.ephemeral && !isOwner(pod, claim)) {
		const own = `${namespace}/${pod.metadata.name ?? ''}`;
		throw new ClaimError(`PVC ${namespace}/${name} was not created for pod ${own} (pod is not owner)`);
	}
	const { volumeName = '' } = claim.spec;
	if (!storage) {
		return fail(
			`failed to fetch PV ${volumeName} from API server: persistentvolumes "${volumeName}" not found`,
		);
	}
	const { claimRef, volumeMode = 'Filesystem' } = storage.spec;
	const object = `found PV object ${volumeName} but`;
	if (!claimRef)
		return fail(`${object} it has a nil pv.Spec.ClaimRef indicating it is not yet bound to the claim`);
	if (claimRef.uid !== claim.metadata.uid) {
		return fail(
			`${object} its pv.Spec.ClaimRef.UID ${claimRef.uid ?? ''} does not point to claim.UID ${claim.metadata.uid ?? ''}`,
		);
	}
	const misused = volumeMode === 'Block' ? 'volumeMounts' : 'volumeDevices';
	if (isUsedBy(pod, volume.name, misused)) {
		throw new ClaimError(
			`volume ${volume.name} has volumeMode ${volumeMode}, but is specified in ${misused}`,
		);
	}
	return storage;
}

/** Upstream: `getPVCExtractPV`. */
function notBound({ metadata, spec, status }: PersistentVolumeClaim): string | undefined {
	const isProtected = metadata.finalizers?.includes('kubernetes.io/pvc-protection') ?? false;
	if (metadata.deletionTimestamp !== undefined && !isProtected) return 'PVC is being deleted';
	if (status.phase !== 'Bound') return 'PVC is not bound';
	return spec.volumeName ? undefined : 'PVC has empty pvc.Spec.VolumeName';
}

/** Upstream: `VolumeIsForPod` in k8s.io/component-helpers/storage/ephemeral. */
function isOwner(pod: Pod, claim: PersistentVolumeClaim): boolean {
	return (claim.metadata.ownerReferences ?? []).some(
		({ uid, controller }) => controller === true && uid === pod.metadata.uid,
	);
}

function isUsedBy({ spec }: Pod, volume: string, field: 'volumeMounts' | 'volumeDevices'): boolean {
	return [...spec.containers, ...(spec.initContainers ?? [])].some((container) =>
		container[field]?.some(({ name }) => name === volume),
	);
}
