import { VOLUME_SOURCES } from '../../../api/core/pod/schema/volume.ts';
import type { Pod, Volume } from '../../../api/core/pod/schema.ts';
import { quantityValue } from '../../../api/meta/quantity.ts';
import { type ClaimObjects, claimedSetUp, claimOf } from './claimed-volume.ts';
import { InputError } from './values.ts';
import { type FileSources, filesOf } from './volume-files.ts';
import type { VolumeSetUp } from './volume-kinds.ts';

/** What a node does to set up a volume, before the sandbox of its Pod is created. */

/** What a volume is made from beside the Pod. */
export interface VolumeSources extends FileSources {
	/** The objects of the claim, for a volume that names one. */
	readonly claim?: ClaimObjects;
}

/**
 * How `volume` is made. Throws InputError or ClaimError, with upstream's message, if an object or key that it requires is
 * missing. Volumes that plan/pod/fields holds back are not passed.
 */
export function volumeSetUpOf(pod: Pod, volume: Volume, sources: VolumeSources): VolumeSetUp {
	const { name, emptyDir, hostPath, image } = volume;
	const files = filesOf(pod, volume, sources);
	if (files) return { name, kind: 'files', files };
	if (hostPath) {
		return { name, kind: 'hostPath', path: hostPath.path, type: hostPath.type ?? '', readOnly: false };
	}
	if (image) return { name, kind: 'image', reference: image.reference ?? '' };
	if (claimOf(pod, volume)) {
		return claimedSetUp(pod, volume, sources.claim ?? { claim: undefined, volume: undefined });
	}
	const reason = unsupportedVolume(volume);
	if (reason !== undefined) throw new InputError(reason);
	const { medium = '', sizeLimit } = emptyDir ?? {};
	const sizeLimitBytes = sizeLimit === undefined ? undefined : quantityValue(sizeLimit);
	return { name, kind: 'emptyDir', medium, sizeLimitBytes };
}

/** Whether the files of the volume change while the Pod runs (upstream: `RequiresRemount` of the volume plugins). */
export function isUpdatedLive({ configMap, secret, projected, downwardAPI }: Volume): boolean {
	return (configMap ?? secret ?? projected ?? downwardAPI) !== undefined;
}

/** Why no node of stint can set the volume up; undefined if it can. */
export function unsupportedVolume(volume: Volume): string | undefined {
	const source = VOLUME_SOURCES.find((each) => volume[each] !== undefined) ?? 'emptyDir';
	if (!SUPPORTED.has(source)) return `this node has no driver for ${source} volumes`;
	const { medium = '' } = volume.emptyDir ?? {};
	if (medium !== '' && medium !== 'Memory') return `this node has no emptyDir of medium ${medium}`;
	const sources = volume.projected?.sources ?? [];
	if (sources.some(({ clusterTrustBundle }) => clusterTrustBundle && !clusterTrustBundle.optional))
		return 'ClusterTrustBundles are not served';
	return sources.some(({ podCertificate }) => podCertificate)
		? 'PodCertificateRequests are not served'
		: undefined;
}

const SUPPORTED: ReadonlySet<string> = new Set([
	...['emptyDir', 'hostPath', 'configMap', 'secret', 'downwardAPI', 'projected'],
	...['persistentVolumeClaim', 'ephemeral', 'image'],
]);
