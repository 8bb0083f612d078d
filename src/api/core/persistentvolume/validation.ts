/**
 * Validation of PersistentVolumes, with the rules and messages of pkg/apis/core/validation and
 * pkg/volume/validation. The source of a volume is immutable: data may have been written to it.
 */

import {
	fieldForbidden,
	fieldInvalid,
	fieldRequired,
	immutable,
	malformed,
	notSupported,
} from '../../errors/field-errors.ts';
import { type FieldError, FieldPath, SPEC } from '../../errors/field-path.ts';
import { dns1123Subdomain } from '../../meta/names.ts';
import { compareQuantities } from '../../meta/quantity.ts';
import { validateMeta, validateMetaUpdate } from '../../meta/validate-meta.ts';
import { semanticEqual } from '../../schema/equality.ts';
import {
	validateAccessModes,
	validateClassName,
	validateVolumeMode,
} from '../persistentvolumeclaim/claim-spec.ts';
import { validateAmount } from '../persistentvolumeclaim/validation.ts';
import { validateNodeSelector } from '../pod/validation/affinity.ts';
import type { PersistentVolume, PersistentVolumeSpec } from './schema.ts';
import { PERSISTENT_SOURCES, validatePersistentSource } from './source-validation.ts';

const META = new FieldPath('metadata');
const RULES = { namespaced: false, name: dns1123Subdomain };
const RECLAIM_POLICIES = ['Delete', 'Recycle', 'Retain'];

/** Annotation that named mount options before the field mountOptions. */
export const MOUNT_OPTIONS_ANNOTATION = 'volume.beta.kubernetes.io/mount-options';

/** The errors of a new volume. */
export function validateVolume(volume: PersistentVolume): readonly FieldError[] {
	const { spec, metadata } = volume;
	const modes = SPEC.child('accessModes');
	const { accessModes = [] } = spec;
	return [
		...validateMeta(metadata, RULES, META),
		...(accessModes.length === 0 ? [fieldRequired(modes)] : []),
		...validateAccessModes(accessModes, modes),
		...validateCapacity(spec.capacity ?? {}, SPEC.child('capacity')),
		...validateReclaimPolicy(spec, SPEC.child('persistentVolumeReclaimPolicy')),
		...validateVolumeAffinity(spec, SPEC.child('nodeAffinity')),
		...validatePersistentSource(spec, metadata.name ?? '', SPEC),
		...validateFurtherFields(spec),
		...validateMountAnnotation(volume),
	];
}

function validateCapacity(
	capacity: Readonly<Record<string, string>>,
	path: FieldPath,
): readonly FieldError[] {
	const entries = Object.entries(capacity);
	const errors: FieldError[] = [];
	if (entries.length === 0) errors.push(fieldRequired(path));
	if (entries.length !== 1 || capacity.storage === undefined) {
		errors.push(notSupported(path, entries.length === 0 ? null : capacity, ['storage']));
	}
	for (const [resource, quantity] of entries) {
		const at = path.key(resource);
		errors.push(...validateAmount(quantity, at));
		if (compareQuantities(quantity, '0') > 0) continue;
		errors.push(fieldInvalid(at, quantity, 'must be greater than zero'));
	}
	return errors;
}

function validateReclaimPolicy(spec: PersistentVolumeSpec, path: FieldPath): readonly FieldError[] {
	const policy: string = spec.persistentVolumeReclaimPolicy ?? '';
	if (policy === '' || RECLAIM_POLICIES.includes(policy)) return [];
	return [notSupported(path, policy, RECLAIM_POLICIES)];
}

function validateVolumeAffinity(
	{ nodeAffinity }: PersistentVolumeSpec,
	path: FieldPath,
): readonly FieldError[] {
	if (!nodeAffinity) return [];
	const at = path.child('required');
	if (!nodeAffinity.required) return [fieldRequired(at, 'must specify required node constraints')];
	return validateNodeSelector(nodeAffinity.required, at);
}

/** Rules that upstream applies after the source. */
function validateFurtherFields(spec: PersistentVolumeSpec): readonly FieldError[] {
	const { local, nodeAffinity, hostPath, csi, volumeAttributesClassName: attributes } = spec;
	const errors: FieldError[] = [];
	if (local && !nodeAffinity) {
		errors.push(fieldRequired(SPEC.child('nodeAffinity'), 'Local volume requires node affinity'));
	}
	if (spec.persistentVolumeReclaimPolicy === 'Recycle' && /^\/[./]*$/.test(hostPath?.path ?? '')) {
		const detail = "may not be 'recycle' for a hostPath mount of '/'";
		errors.push(fieldForbidden(SPEC.child('persistentVolumeReclaimPolicy'), detail));
	}
	errors.push(
		...validateClassName(spec.storageClassName ?? '', SPEC.child('storageClassName')),
		...validateVolumeMode(spec.volumeMode, SPEC.child('volumeMode')),
	);
	if (attributes === undefined) return errors;
	const at = SPEC.child('volumeAttributesClassName');
	if (attributes === '') errors.push(fieldRequired(at, 'an empty string is disallowed'));
	else errors.push(...malformed(at, attributes, dns1123Subdomain(attributes)));
	if (csi) return errors;
	const detail = 'has to be specified when using volumeAttributesClassName';
	return [...errors, fieldRequired(SPEC.child('csi'), detail)];
}

/** Sources whose mount options the annotation may name. */
const MOUNTABLE = [
	...(['gcePersistentDisk', 'awsElasticBlockStore', 'glusterfs', 'nfs', 'rbd', 'quobyte', 'iscsi'] as const),
	...(['cinder', 'cephfs', 'azureFile', 'vsphereVolume', 'azureDisk', 'photonPersistentDisk'] as const),
];

function validateMountAnnotation({ metadata, spec }: PersistentVolume): readonly FieldError[] {
	if (metadata.annotations?.[MOUNT_OPTIONS_ANNOTATION] === undefined) return [];
	if (MOUNTABLE.some((source) => spec[source])) return [];
	const at = META.child('annotations', MOUNT_OPTIONS_ANNOTATION);
	return [fieldForbidden(at, 'may not specify mount options for this volume type')];
}

/**
 * The errors of an update from `old`. Upstream appends a diff of the two sources to the error about them; it is
 * left out here, so that the error ends with a line break.
 */
export function validateVolumeUpdate(volume: PersistentVolume, old: PersistentVolume): readonly FieldError[] {
	const errors = [...validateMetaUpdate(volume.metadata, old.metadata, META), ...validateVolume(volume)];
	const { volumeMode, nodeAffinity, volumeAttributesClassName } = volume.spec;
	if (!semanticEqual(fixedSource(volume.spec, old.spec), fixedSource(old.spec, old.spec))) {
		const detail = 'spec.persistentvolumesource is immutable after creation\n';
		errors.push(fieldForbidden(SPEC.child('persistentvolumesource'), detail));
	}
	if (volumeMode !== old.spec.volumeMode) errors.push(immutable(new FieldPath('volumeMode'), volumeMode));
	if (old.spec.nodeAffinity && !semanticEqual(withStableLabels(nodeAffinity, old), old.spec.nodeAffinity)) {
		const detail = 'field is immutable, except for updating from beta label to GA';
		errors.push(fieldInvalid(new FieldPath('nodeAffinity'), nodeAffinity ?? null, detail));
	}
	if (old.spec.volumeAttributesClassName !== undefined && volumeAttributesClassName === undefined) {
		const detail = 'update from non-nil value to nil is forbidden';
		errors.push(fieldForbidden(SPEC.child('volumeAttributesClassName'), detail));
	}
	return errors;
}

/** The source alone. A CSI volume may get a controllerExpandSecretRef if it had none. */
function fixedSource(
	spec: PersistentVolumeSpec,
	old: PersistentVolumeSpec,
): Readonly<Record<string, unknown>> {
	const sources = Object.fromEntries(PERSISTENT_SOURCES.map((source) => [source, spec[source]]));
	if (!spec.csi || old.csi?.controllerExpandSecretRef || !old.csi) return sources;
	const { controllerExpandSecretRef: _added, ...csi } = spec.csi;
	return { ...sources, csi };
}

/** Beta labels of nodes, by the stable ones that replace them. */
const BETA_LABELS: ReadonlyMap<string, string> = new Map([
	['topology.kubernetes.io/zone', 'failure-domain.beta.kubernetes.io/zone'],
	['topology.kubernetes.io/region', 'failure-domain.beta.kubernetes.io/region'],
	['node.kubernetes.io/instance-type', 'beta.kubernetes.io/instance-type'],
]);

/**
 * The affinity with the beta labels of `old` where only the name of the label was replaced by the stable one
 * (upstream: `getMaskNodeSelectorLabelChangeEqualities`).
 */
function withStableLabels(
	affinity: PersistentVolumeSpec['nodeAffinity'],
	old: PersistentVolume,
): PersistentVolumeSpec['nodeAffinity'] {
	if (!affinity?.required) return affinity;
	const before = old.spec.nodeAffinity?.required?.nodeSelectorTerms ?? [];
	const nodeSelectorTerms = affinity.required.nodeSelectorTerms.map((term, index) => {
		const { matchExpressions = [] } = term;
		return {
			...term,
			matchExpressions: matchExpressions.map((each, number) => {
				const key = before[index]?.matchExpressions?.[number]?.key;
				return key !== undefined && BETA_LABELS.get(each.key) === key ? { ...each, key } : each;
			}),
		};
	});
	return { required: { nodeSelectorTerms } };
}

/** The errors of an update of the status: only those of the metadata. */
export function validateVolumeStatus(volume: PersistentVolume, old: PersistentVolume): readonly FieldError[] {
	return validateMetaUpdate(volume.metadata, old.metadata, META);
}
