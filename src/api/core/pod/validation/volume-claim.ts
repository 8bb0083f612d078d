import {
	fieldForbidden,
	fieldInvalid,
	fieldRequired,
	malformed,
	notSupported,
} from '../../../errors/field-errors.ts';
import type { FieldError, FieldPath } from '../../../errors/field-path.ts';
import { dns1123Label, dns1123Subdomain } from '../../../meta/names.ts';
import type { ObjectMeta } from '../../../meta/object-meta.ts';
import { compareQuantities } from '../../../meta/quantity.ts';
import { validateLabelSelector, validateLabels } from '../../../meta/selector.ts';
import { validateAnnotations } from '../../../meta/validate-meta.ts';
import type { Volume } from '../schema/volume.ts';

/**
 * Validation of the PersistentVolumeClaim that an ephemeral volume creates with its Pod (upstream:
 * `ValidatePersistentVolumeClaimTemplate`). The claim is created later by a controller, so what is wrong with it must
 * be found when the Pod is created: otherwise the Pod never leaves the phase Pending.
 */

type ClaimTemplate = NonNullable<NonNullable<Volume['ephemeral']>['volumeClaimTemplate']>;
type ClaimSpec = ClaimTemplate['spec'];

/** The errors of an ephemeral volume at `path`. */
export function validateEphemeral(
	{ volumeClaimTemplate: template }: NonNullable<Volume['ephemeral']>,
	path: FieldPath,
): readonly FieldError[] {
	const at = path.child('volumeClaimTemplate');
	if (!template) return [fieldRequired(at)];
	return [
		...validateTemplateMeta(template.metadata ?? {}, at.child('metadata')),
		...validateClaimSpec(template.spec, at.child('spec')),
	];
}

/**
 * The fields that a claim template must not set, in the order of upstream's ObjectMeta and with the names of its
 * errors (`validateFieldAllowList` lowers only the first letter of the field in Go).
 */
const REFUSED_META: readonly (readonly [keyof ObjectMeta, string])[] = [
	['name', 'name'],
	['generateName', 'generateName'],
	['namespace', 'namespace'],
	['uid', 'uID'],
	['resourceVersion', 'resourceVersion'],
	['generation', 'generation'],
	['creationTimestamp', 'creationTimestamp'],
	['deletionTimestamp', 'deletionTimestamp'],
	['deletionGracePeriodSeconds', 'deletionGracePeriodSeconds'],
	['ownerReferences', 'ownerReferences'],
	['finalizers', 'finalizers'],
	['managedFields', 'managedFields'],
];

/** Only labels and annotations are copied to the claim (upstream: `ValidateTemplateObjectMeta`). */
function validateTemplateMeta(meta: ObjectMeta, path: FieldPath): readonly FieldError[] {
	const refused = REFUSED_META.filter(([field]) => meta[field] !== undefined && meta[field] !== '');
	return [
		...validateAnnotations(meta.annotations, path.child('annotations')),
		...validateLabels(meta.labels, path.child('labels')),
		...refused.map(([, name]) => fieldForbidden(path.child(name), 'cannot be set')),
	];
}

/** Sorted, as upstream's errors list them. */
const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
const VOLUME_MODES = ['Block', 'Filesystem'];

/** Upstream: `ValidatePersistentVolumeClaimSpec`. */
function validateClaimSpec(spec: ClaimSpec, path: FieldPath): readonly FieldError[] {
	const { selector, resources, storageClassName = '', volumeAttributesClassName = '' } = spec;
	const volumeMode: string | undefined = spec.volumeMode;
	const classPath = path.child('storageClassName');
	const attributesPath = path.child('volumeAttributesClassName');
	const accessModes = spec.accessModes ?? [];
	const modes = path.child('accessModes');
	return [
		...(accessModes.length === 0 ? [fieldRequired(modes, 'at least 1 access mode is required')] : []),
		...validateLabelSelector(selector, path.child('selector')),
		...validateAccessModes(accessModes, modes),
		...validateStorage(resources?.requests?.storage, path.child('resources').key('storage')),
		...(storageClassName === ''
			? []
			: malformed(classPath, storageClassName, dns1123Subdomain(storageClassName))),
		...(volumeMode === undefined || VOLUME_MODES.includes(volumeMode)
			? []
			: [notSupported(path.child('volumeMode'), volumeMode, VOLUME_MODES)]),
		...validateDataSources(spec, path),
		...(volumeAttributesClassName === ''
			? []
			: malformed(attributesPath, volumeAttributesClassName, dns1123Subdomain(volumeAttributesClassName))),
	];
}

/**
 * ReadWriteOncePod promises a single Pod on a single node, which any other mode contradicts. An unknown mode is no
 * contradiction, only unknown.
 */
function validateAccessModes(accessModes: readonly string[], path: FieldPath): readonly FieldError[] {
	const errors = accessModes
		.filter((mode) => !ACCESS_MODES.includes(mode))
		.map((mode) => notSupported(path, mode, ACCESS_MODES));
	const hasOther = accessModes.some((mode) => mode !== 'ReadWriteOncePod' && ACCESS_MODES.includes(mode));
	if (hasOther && accessModes.includes('ReadWriteOncePod')) {
		errors.push(fieldForbidden(path, 'may not use ReadWriteOncePod with other access modes'));
	}
	return errors;
}

/** Upstream reports the size at `resources[storage]`, although it is in `resources.requests`. */
function validateStorage(storage: string | undefined, path: FieldPath): readonly FieldError[] {
	if (storage === undefined) return [fieldRequired(path)];
	return compareQuantities(storage, '0') > 0
		? []
		: [fieldInvalid(path, storage, 'must be greater than zero')];
}

type DataSource = NonNullable<ClaimSpec['dataSource']> | NonNullable<ClaimSpec['dataSourceRef']>;

/**
 * The two fields for the content of the volume. They must agree, since dataSourceRef is only the newer form, unless it
 * names a namespace, which dataSource cannot. Upstream's errors about both show the path of the field as their value, which its JSON encoder writes as `{}`.
 */
function validateDataSources(
	{ dataSource, dataSourceRef }: ClaimSpec,
	path: FieldPath,
): readonly FieldError[] {
	const errors: FieldError[] = [];
	if (dataSource) errors.push(...validateDataSource(dataSource, path.child('dataSource')));
	if (!dataSourceRef) return errors;
	const at = path.child('dataSourceRef');
	const { namespace = '' } = dataSourceRef;
	errors.push(...validateDataSource(dataSourceRef, at));
	if (namespace !== '') errors.push(...malformed(at.child('namespace'), namespace, dns1123Label(namespace)));
	if (!dataSource) return errors;
	if (namespace !== '') {
		errors.push(fieldInvalid(path, {}, 'may not be specified when dataSourceRef.namespace is specified'));
	} else if (!isSameSource(dataSource, dataSourceRef)) {
		errors.push(fieldInvalid(path, {}, 'must match dataSourceRef'));
	}
	return errors;
}

/**
 * An empty API group is the core group, in which only claims can be copied. Which kinds of other groups exist is known
 * to the storage drivers alone.
 */
function validateDataSource({ apiGroup, kind, name }: DataSource, path: FieldPath): readonly FieldError[] {
	const errors: FieldError[] = [];
	if (name === '') errors.push(fieldRequired(path.child('name')));
	if (kind === '') errors.push(fieldRequired(path.child('kind')));
	if (apiGroup) errors.push(...malformed(path.child('apiGroup'), apiGroup, dns1123Subdomain(apiGroup)));
	else if (kind !== 'PersistentVolumeClaim') {
		const detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
		errors.push(fieldInvalid(path, kind, detail));
	}
	return errors;
}

/** Absent and empty groups differ here, as upstream's comparison of pointers. */
function isSameSource(a: DataSource, b: DataSource): boolean {
	return (a.apiGroup ?? null) === (b.apiGroup ?? null) && a.kind === b.kind && a.name === b.name;
}
