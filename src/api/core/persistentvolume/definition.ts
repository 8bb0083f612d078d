import type { ResourceDefinition } from '../../contract/resource-definition.ts';
import { FieldPath, SPEC } from '../../errors/field-path.ts';
import { ageColumn, nameColumn, textColumn, wideColumn } from '../../meta/columns.ts';
import { withDefaults, withDefaultsForZeros, withField } from '../../schema/defaults.ts';
import { CLASS_ANNOTATION, classOfVolume } from '../persistentvolumeclaim/claim-class.ts';
import { AZURE_DISK, ISCSI, RBD, SCALE_IO, UNCHECKED } from '../pod/volume-defaults.ts';
import { nodeTermWarnings } from '../pod/warnings.ts';
import { accessModesText } from './access-modes.ts';
import { type PersistentVolume, type PersistentVolumeSpec, persistentVolumeSchema } from './schema.ts';
import {
	MOUNT_OPTIONS_ANNOTATION,
	validateVolume,
	validateVolumeStatus,
	validateVolumeUpdate,
} from './validation.ts';

const PENDING = { phase: 'Pending' } as const;
const RETAIN = { persistentVolumeReclaimPolicy: 'Retain' } as const;
const FILESYSTEM = { volumeMode: 'Filesystem' } as const;

/**
 * v1 PersistentVolumes: registry definition and printer columns. Upstream:
 * pkg/registry/core/persistentvolume/strategy.go and pkg/api/persistentvolume/util.go. The API server sets
 * status.lastPhaseTransitionTime in admission, where it has a clock.
 */
export const persistentVolumes: ResourceDefinition<PersistentVolume> = {
	group: '',
	version: 'v1',
	kind: 'PersistentVolume',
	resource: 'persistentvolumes',
	singular: 'persistentvolume',
	shortNames: ['pv'],
	categories: [],
	namespaced: false,
	schema: persistentVolumeSchema,
	defaults: (volume) => {
		const defaulted = withField(volume, 'spec', defaultSpec);
		return withField(defaulted, 'status', (status) => withDefaultsForZeros(status, PENDING));
	},
	controllerFields: [['spec', 'claimRef']],
	strategy: {
		prepareForCreate: (volume) => {
			const { creationTimestamp } = volume.metadata;
			const since = creationTimestamp && { lastPhaseTransitionTime: creationTimestamp };
			return { ...volume, status: { ...PENDING, ...since } };
		},
		prepareForUpdate: (volume, old) => ({ ...volume, status: old.status }),
		validateCreate: validateVolume,
		validateUpdate: validateVolumeUpdate,
		warnings: volumeWarnings,
		allowUnconditionalUpdate: true,
	},
	status: {
		prepareForUpdate: (volume, old) => ({ ...volume, spec: old.spec }),
		validateUpdate: validateVolumeStatus,
	},
	columns: [
		nameColumn(),
		textColumn('Capacity', 'Size of the volume.', ({ spec }) => spec.capacity?.storage ?? '0'),
		textColumn('Access Modes', 'Ways in which the volume can be mounted.', ({ spec }) =>
			accessModesText(spec.accessModes),
		),
		textColumn(
			'Reclaim Policy',
			'What happens to the volume once its claim is deleted.',
			({ spec }) => spec.persistentVolumeReclaimPolicy ?? '',
		),
		textColumn('Status', 'Phase, or Terminating once the volume is being deleted.', ({ metadata, status }) =>
			metadata.deletionTimestamp ? 'Terminating' : (status.phase ?? ''),
		),
		textColumn('Claim', 'Namespace and name of the bound claim.', ({ spec: { claimRef } }) =>
			claimRef ? `${claimRef.namespace ?? ''}/${claimRef.name ?? ''}` : '',
		),
		textColumn('StorageClass', 'StorageClass that the volume belongs to.', classOfVolume),
		textColumn(
			'VolumeAttributesClass',
			'VolumeAttributesClass of the volume.',
			({ spec }) => spec.volumeAttributesClassName ?? '<unset>',
		),
		textColumn('Reason', 'Reason for a failure, in CamelCase.', ({ status }) => status.reason ?? ''),
		ageColumn(),
		wideColumn(
			'VolumeMode',
			'Use of the volume: Filesystem or Block.',
			({ spec }) => spec.volumeMode ?? '<unset>',
		),
	],
	selectableFields: ({ metadata }) => ({
		// `name` without `metadata.` is a mistake in early versions of Kubernetes that clients rely on.
		name: metadata.name ?? '',
	}),
	deletion: { defaultPropagation: 'Background' },
};

function defaultSpec(given: PersistentVolumeSpec): PersistentVolumeSpec {
	let spec = withDefaults(withDefaultsForZeros(given, RETAIN), FILESYSTEM);
	spec = withField(spec, 'hostPath', (source) => withDefaults(source, UNCHECKED));
	spec = withField(spec, 'iscsi', (source) => withDefaultsForZeros(source, ISCSI));
	spec = withField(spec, 'rbd', (source) => withDefaultsForZeros(source, RBD));
	spec = withField(spec, 'azureDisk', (source) => withDefaults(source, AZURE_DISK));
	return withField(spec, 'scaleIO', (source) => withDefaultsForZeros(source, SCALE_IO));
}

/** Sources that no Kubernetes version can mount any more. Upstream writes `storageOS` for the last path. */
const REMOVED_SOURCES = [
	['cephfs', 'cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
	['photonPersistentDisk', 'photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
	['scaleIO', 'scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
	['storageos', 'storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
	['glusterfs', 'glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
	['rbd', 'rbd', 'deprecated in v1.28, non-functional in v1.31+'],
] as const;

function volumeWarnings({ metadata, spec }: PersistentVolume): readonly string[] {
	const deprecated = [
		[CLASS_ANNOTATION, 'deprecated since v1.8; use "storageClassName" attribute instead'],
		[MOUNT_OPTIONS_ANNOTATION, 'deprecated since v1.31; use "mountOptions" attribute instead'],
	] as const;
	const annotations = new FieldPath('metadata').child('annotations');
	const warnings = deprecated.flatMap(([key, text]) =>
		metadata.annotations?.[key] === undefined ? [] : [`${annotations.key(key).text}: ${text}`],
	);
	if (spec.persistentVolumeReclaimPolicy === 'Recycle') {
		const text =
			'The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.';
		warnings.push(`${SPEC.child('persistentVolumeReclaimPolicy').text}: ${text}`);
	}
	const nodes = spec.nodeAffinity?.required;
	if (nodes) warnings.push(...nodeTermWarnings(nodes, SPEC.child('nodeAffinity', 'required')));
	for (const [source, shown, text] of REMOVED_SOURCES) {
		if (spec[source]) warnings.push(`${SPEC.child(shown).text}: ${text}`);
	}
	return warnings;
}
