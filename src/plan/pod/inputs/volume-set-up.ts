import type { EventText } from '../../../api/core/event/event-text.ts';
import { VOLUME_SOURCES } from '../../../api/core/pod/schema/volume.ts';
import type { Pod, Volume } from '../../../api/core/pod/schema.ts';
import { quantityValue } from '../../../api/meta/quantity.ts';
import { type BackoffPolicy, backoffDelayMs } from '../../../base/queue/backoff.ts';
import { type ClaimObjects, claimedSetUp, claimOf } from './claimed-volume.ts';
import { InputError } from './values.ts';
import { type FileSources, filesOf, type VolumeFile } from './volume-files.ts';

/** What a node does to set up a volume, before the sandbox of its Pod is created. */

/** A volume and how it is made. */
export type VolumeSetUp = {
	readonly name: string;
	/** The PersistentVolume, for a volume that is bound to a claim. */
	readonly persistent?: {
		readonly name: string;
		/** If true, only one Pod may have it at a time: its access mode is ReadWriteOncePod. */
		readonly isExclusive: boolean;
	};
} & (
	| /** A read-only directory with these files, all of which change at once. */ {
			readonly kind: 'files';
			readonly files: readonly VolumeFile[];
	  }
	/** A directory that is removed with the Pod. */
	| { readonly kind: 'emptyDir'; readonly medium: string; readonly sizeLimitBytes: number | undefined }
	/** A path of the node, after a check of its type. */
	| {
			readonly kind: 'hostPath';
			readonly path: string;
			readonly type: string;
			readonly readOnly: boolean;
	  }
	/** A directory or block device of the node that stores a PersistentVolume. */
	| { readonly kind: 'local'; readonly path: string; readonly readOnly: boolean }
);

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
	const { name, emptyDir, hostPath } = volume;
	const files = filesOf(pod, volume, sources);
	if (files) return { name, kind: 'files', files };
	if (hostPath) {
		return { name, kind: 'hostPath', path: hostPath.path, type: hostPath.type ?? '', readOnly: false };
	}
	if (claimOf(pod, volume)) {
		return claimedSetUp(pod, volume, sources.claim ?? { claim: undefined, volume: undefined });
	}
	const reason = unsupportedVolume(volume);
	if (reason !== undefined) throw new InputError(reason);
	const { medium = '', sizeLimit } = emptyDir ?? {};
	const sizeLimitBytes = sizeLimit === undefined ? undefined : quantityValue(sizeLimit);
	return { name, kind: 'emptyDir', medium, sizeLimitBytes };
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
	...['persistentVolumeClaim', 'ephemeral'],
]);

/** The first words of upstream's event about a volume, by the step that failed. */
export type MountStep = 'MountVolume.SetUp failed' | 'MountVolume.NewMounter initialization failed';

/** The event about a volume that could not be set up, in upstream's form. */
export function mountFailure(
	volume: string,
	why: string,
	step: MountStep = 'MountVolume.SetUp failed',
): EventText {
	return { type: 'Warning', reason: 'FailedMount', message: `${step} for volume "${volume}" : ${why}` };
}

/**
 * The event about volumes whose claims cannot be used yet (upstream: `WaitForAttachAndMount`). `unmounted` are all
 * volumes that are not set up, `claims` those of them that have such a claim, with the reason of each.
 */
export function claimFailure(unmounted: readonly string[], claims: ReadonlyMap<string, string>): EventText {
	const names = (all: Iterable<string>): string => `[${[...all].sort().join(' ')}]`;
	const message =
		`Unable to attach or mount volumes: unmounted volumes=${names(unmounted)}, unattached volumes=[], ` +
		`failed to process volumes=${names(claims.keys())}: ${[...claims.values()].join('; ')}`;
	return { type: 'Warning', reason: 'FailedMount', message };
}

/** The backoff of upstream's volume manager (pkg/util/goroutinemap/exponentialbackoff), and of its wait for claims. */
const SET_UP_BACKOFF: BackoffPolicy = { baseMs: 500, capMs: 122_000 };
const CLAIM_RETRY_MS = 10_000;

/**
 * Time until volumes that failed are set up again, in ms, after this number of failures in a row. Earlier if an object
 * that they need changes.
 */
export function mountRetryMs(failures: number, hasClaimFailure: boolean): number {
	return hasClaimFailure ? CLAIM_RETRY_MS : backoffDelayMs(SET_UP_BACKOFF, failures);
}
