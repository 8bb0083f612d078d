import type { PersistentVolume } from '../persistentvolume/schema.ts';
import type { PersistentVolumeClaim } from './schema.ts';

/** Annotation that named the StorageClass before the field storageClassName. It takes precedence. */
export const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class';

/** Name of the StorageClass of a claim; empty if it has none (upstream: `GetPersistentVolumeClaimClass`). */
export function classOfClaim({ metadata, spec }: PersistentVolumeClaim): string {
	return metadata.annotations?.[CLASS_ANNOTATION] ?? spec.storageClassName ?? '';
}

/** Name of the StorageClass of a volume; empty if it has none (upstream: `GetPersistentVolumeClass`). */
export function classOfVolume({ metadata, spec }: PersistentVolume): string {
	return metadata.annotations?.[CLASS_ANNOTATION] ?? spec.storageClassName ?? '';
}

/** Whether the claim names a class, be it the empty one, which asks for a volume without a class. */
export function namesClass({ metadata, spec }: PersistentVolumeClaim): boolean {
	return metadata.annotations?.[CLASS_ANNOTATION] !== undefined || spec.storageClassName !== undefined;
}
