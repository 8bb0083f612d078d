import type { ResourceDefinition } from '../../contract/resource-definition.ts';
import { FieldPath, SPEC } from '../../errors/field-path.ts';
import { ageColumn, nameColumn, textColumn, wideColumn } from '../../meta/columns.ts';
import { parseQuantity } from '../../meta/quantity.ts';
import { withDefaults, withDefaultsForZeros, withField } from '../../schema/defaults.ts';
import { leftOut } from '../../schema/dropped-fields.ts';
import { accessModesText } from '../persistentvolume/access-modes.ts';
import { CLASS_ANNOTATION, classOfClaim } from './claim-class.ts';
import {
	type PersistentVolumeClaim,
	type PersistentVolumeClaimSpec,
	persistentVolumeClaimSchema,
} from './schema.ts';
import { validateClaim, validateClaimStatus, validateClaimUpdate } from './validation.ts';

const FILESYSTEM = { volumeMode: 'Filesystem' } as const;
const PENDING = { phase: 'Pending' } as const;

/**
 * v1 PersistentVolumeClaims: registry definition and printer columns. Upstream:
 * pkg/registry/core/persistentvolumeclaim/strategy.go and pkg/api/persistentvolumeclaim/util.go.
 */
export const persistentVolumeClaims: ResourceDefinition<PersistentVolumeClaim> = {
	group: '',
	version: 'v1',
	kind: 'PersistentVolumeClaim',
	resource: 'persistentvolumeclaims',
	singular: 'persistentvolumeclaim',
	shortNames: ['pvc'],
	categories: [],
	namespaced: true,
	schema: persistentVolumeClaimSchema,
	defaults: (claim) => {
		const withMode = withField(claim, 'spec', (spec) => withDefaults(spec, FILESYSTEM));
		return withField(withMode, 'status', (status) => withDefaultsForZeros(status, PENDING));
	},
	controllerFields: [['spec', 'volumeName']],
	strategy: {
		prepareForCreate: (claim) => ({ ...claim, spec: withDataSources(claim.spec), status: PENDING }),
		prepareForUpdate: (claim, old) => ({
			...claim,
			spec: withDataSources(claim.spec, old.spec),
			status: old.status,
		}),
		validateCreate: validateClaim,
		validateUpdate: validateClaimUpdate,
		warnings: claimWarnings,
		droppedFields: ({ spec }, old) => droppedSources(spec, old?.spec),
		allowUnconditionalUpdate: true,
	},
	status: {
		prepareForUpdate: (claim, old) => {
			const { healthStatus: _off, ...status } = claim.status;
			return { ...claim, spec: old.spec, status };
		},
		validateUpdate: validateClaimStatus,
	},
	columns: [
		nameColumn(),
		textColumn(
			'Status',
			'Pending, Bound, Lost, or Terminating once it is being deleted.',
			({ metadata, status }) => (metadata.deletionTimestamp ? 'Terminating' : (status.phase ?? '')),
		),
		textColumn('Volume', 'Name of the bound PersistentVolume.', ({ spec }) => spec.volumeName ?? ''),
		textColumn('Capacity', 'Size of the bound volume.', ({ spec, status }) =>
			spec.volumeName ? (status.capacity?.storage ?? '0') : '',
		),
		textColumn('Access Modes', 'Access modes of the bound volume.', ({ spec, status }) =>
			spec.volumeName ? accessModesText(status.accessModes) : '',
		),
		textColumn('StorageClass', 'StorageClass that the claim names.', classOfClaim),
		textColumn(
			'VolumeAttributesClass',
			'VolumeAttributesClass that the claim names.',
			({ spec }) => spec.volumeAttributesClassName ?? '<unset>',
		),
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

type Spec = PersistentVolumeClaimSpec;

/**
 * Copies dataSource to dataSourceRef or back, so that old and new clients see both. A dataSource of a kind that
 * old servers ignored is dropped, and so is a reference to another namespace, whose feature is off (upstream:
 * `EnforceDataSourceBackwardsCompatibility`, `NormalizeDataSources`).
 */
function withDataSources(given: Spec, old?: Spec): Spec {
	const { dataSource, dataSourceRef, ...spec } = withoutDisabledSources(given, old);
	if (dataSource && dataSourceRef) return { ...spec, dataSource, dataSourceRef };
	if (dataSource) return { ...spec, dataSource, dataSourceRef: dataSource };
	if (!dataSourceRef) return spec;
	const { namespace, ...local } = dataSourceRef;
	return { ...spec, dataSourceRef, ...(!namespace && { dataSource: local }) };
}

function withoutDisabledSources(given: Spec, old?: Spec): Spec {
	const { dataSource, dataSourceRef, ...spec } = given;
	const reference =
		dataSourceRef && (!dataSourceRef.namespace || old?.dataSourceRef) ? dataSourceRef : undefined;
	const isKept = Boolean(old?.dataSource || old?.dataSourceRef || reference) || isClaimOrSnapshot(dataSource);
	return {
		...spec,
		...(isKept && dataSource && { dataSource }),
		...(reference && { dataSourceRef: reference }),
	};
}

function isClaimOrSnapshot(source: Spec['dataSource']): boolean {
	if (!source) return false;
	const group = source.apiGroup ?? '';
	if (source.kind === 'PersistentVolumeClaim') return group === '';
	return source.kind === 'VolumeSnapshot' && group === 'snapshot.storage.k8s.io';
}

function droppedSources(given: Spec, old: Spec | undefined): readonly string[] {
	const kept = withoutDisabledSources(given, old);
	const warnings: string[] = [];
	if (given.dataSource && !kept.dataSource) {
		const because = 'it can refer only to a PersistentVolumeClaim or a VolumeSnapshot';
		warnings.push(leftOut(SPEC.child('dataSource'), { because, instead: 'use dataSourceRef' }));
	}
	if (given.dataSourceRef && !kept.dataSourceRef) {
		const because = 'its feature, CrossNamespaceVolumeDataSource, is alpha and therefore off';
		const instead = 'refer to an object in the namespace of the claim';
		warnings.push(leftOut(SPEC.child('dataSourceRef'), { because, instead }));
	}
	return warnings;
}

function claimWarnings({ metadata, spec }: PersistentVolumeClaim): readonly string[] {
	const warnings: string[] = [];
	if (metadata.annotations?.[CLASS_ANNOTATION] !== undefined) {
		const at = new FieldPath('metadata').child('annotations').key(CLASS_ANNOTATION);
		warnings.push(`${at.text}: deprecated since v1.8; use "storageClassName" attribute instead`);
	}
	for (const field of ['requests', 'limits'] as const) {
		const size = spec.resources?.[field]?.storage;
		if (size === undefined || parseQuantity(size).nanos % 1_000_000_000n === 0n) continue;
		const at = SPEC.child('resources', field).key('storage');
		warnings.push(`${at.text}: fractional byte value "${size}" is invalid, must be an integer`);
	}
	return warnings;
}
