import { DEFAULT_TOKEN_SECONDS } from '../../authentication/token-request.ts';
import { mapShared, withDefaults, withDefaultsForZeros, withField } from '../../schema/defaults.ts';
import type { VolumeProjection } from './schema/projected-volume.ts';
import type { Volume } from './schema.ts';
import { pullPolicyOf } from './validation/image-name.ts';

/** Default permission bits of files, 0644: readable for all, since the container may run as any user. */
const FILE_MODE = { defaultMode: 0o644 };
/** The empty type of a hostPath means that the node does not check what is at the path. */
export const UNCHECKED = { type: '' };
const V1 = { apiVersion: 'v1' };
const ONE_HOUR = { expirationSeconds: DEFAULT_TOKEN_SECONDS };
const FILESYSTEM = { volumeMode: 'Filesystem' } as const;
/** Defaults of an iSCSI source, of a Pod or of a PersistentVolume. */
export const ISCSI = { iscsiInterface: 'default' };
/** Defaults of an RBD source. */
export const RBD = { pool: 'rbd', user: 'admin', keyring: '/etc/ceph/keyring' };
/** Defaults of an azureDisk source. */
export const AZURE_DISK = { cachingMode: 'ReadWrite', fsType: 'ext4', readOnly: false, kind: 'Shared' };
/** Defaults of a scaleIO source. */
export const SCALE_IO = { storageMode: 'ThinProvisioned', fsType: 'xfs' };

/**
 * Fills in the defaults of a volume; returns `given` itself if it is complete. A volume without a source
 * becomes an emptyDir (upstream: `SetDefaults_Volume`).
 */
export function defaultVolume(given: Volume): Volume {
	// The only field is the name.
	if (Object.keys(given).length <= 1) return { ...given, emptyDir: {} };
	let volume = withField(given, 'configMap', (source) => withDefaults(source, FILE_MODE));
	volume = withField(volume, 'secret', (source) => withDefaults(source, FILE_MODE));
	volume = withField(volume, 'hostPath', (source) => withDefaults(source, UNCHECKED));
	volume = withField(volume, 'downwardAPI', (source) =>
		withField(withDefaults(source, FILE_MODE), 'items', defaultFiles),
	);
	volume = withField(volume, 'projected', (source) =>
		withField(withDefaults(source, FILE_MODE), 'sources', (each) => mapShared(each, defaultProjection)),
	);
	volume = withField(volume, 'image', (image) =>
		image.pullPolicy ? image : { ...image, pullPolicy: pullPolicyOf(image.reference ?? '') },
	);
	volume = withField(volume, 'ephemeral', (source) =>
		withField(source, 'volumeClaimTemplate', (template) =>
			withField(template, 'spec', (spec) => withDefaults(spec, FILESYSTEM)),
		),
	);
	return defaultProviderVolume(volume);
}

function defaultProviderVolume(given: Volume): Volume {
	let volume = withField(given, 'iscsi', (source) => withDefaultsForZeros(source, ISCSI));
	volume = withField(volume, 'rbd', (source) => withDefaultsForZeros(source, RBD));
	volume = withField(volume, 'azureDisk', (source) => withDefaults(source, AZURE_DISK));
	return withField(volume, 'scaleIO', (source) => withDefaultsForZeros(source, SCALE_IO));
}

type Files = NonNullable<NonNullable<Volume['downwardAPI']>['items']>;

function defaultFiles(files: Files): Files {
	return mapShared(files, (file) => withField(file, 'fieldRef', (reference) => withDefaults(reference, V1)));
}

function defaultProjection(source: VolumeProjection): VolumeProjection {
	const files = withField(source, 'downwardAPI', (each) => withField(each, 'items', defaultFiles));
	return withField(files, 'serviceAccountToken', (token) => withDefaults(token, ONE_HOUR));
}
