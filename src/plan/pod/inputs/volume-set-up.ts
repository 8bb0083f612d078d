import type { EventText } from '../../../api/core/event/event-text.ts';
import { VOLUME_SOURCES } from '../../../api/core/pod/schema/volume.ts';
import type { Pod, Volume } from '../../../api/core/pod/schema.ts';
import { quantityValue } from '../../../api/meta/quantity.ts';
import { type FileSources, filesOf, type VolumeFile } from './volume-files.ts';

/** What a node does to set up a volume, before the sandbox of its Pod is created. */

/** A volume and how it is made. */
export type VolumeSetUp = {
	readonly name: string;
} /** A read-only directory with these files, all of which change at once. */ & (
	| { readonly kind: 'files'; readonly files: readonly VolumeFile[] }
	/** A directory that is removed with the Pod. */
	| { readonly kind: 'emptyDir'; readonly medium: string; readonly sizeLimitBytes: number | undefined }
	/** A path of the node, after a check of its type. */
	| { readonly kind: 'hostPath'; readonly path: string; readonly type: string }
	/** The volume that is bound to a PersistentVolumeClaim. */
	| { readonly kind: 'claim'; readonly claimName: string; readonly readOnly: boolean }
	/** A volume that only a driver can mount; `source` is its field in the schema. */
	| { readonly kind: 'driver'; readonly source: string }
);

/** How `volume` is made. Throws InputError, with upstream's message, if an object or key that it requires is missing. */
export function volumeSetUpOf(pod: Pod, volume: Volume, sources: FileSources): VolumeSetUp {
	const { name, emptyDir, hostPath, persistentVolumeClaim, ephemeral } = volume;
	const files = filesOf(pod, volume, sources);
	if (files) return { name, kind: 'files', files };
	if (hostPath) return { name, kind: 'hostPath', path: hostPath.path, type: hostPath.type ?? '' };
	if (persistentVolumeClaim) {
		const { claimName, readOnly = false } = persistentVolumeClaim;
		return { name, kind: 'claim', claimName, readOnly };
	}
	if (ephemeral) return { name, kind: 'claim', claimName: `${pod.metadata.name}-${name}`, readOnly: false };
	const source = VOLUME_SOURCES.find((each) => volume[each] !== undefined) ?? 'emptyDir';
	if (source !== 'emptyDir') return { name, kind: 'driver', source };
	const { medium = '', sizeLimit } = emptyDir ?? {};
	const sizeLimitBytes = sizeLimit === undefined ? undefined : quantityValue(sizeLimit);
	return { name, kind: 'emptyDir', medium, sizeLimitBytes };
}

/** The event about a volume that could not be set up, in upstream's form. */
export function mountFailure(volume: string, why: string): EventText {
	const message = `MountVolume.SetUp failed for volume "${volume}" : ${why}`;
	return { type: 'Warning', reason: 'FailedMount', message };
}
