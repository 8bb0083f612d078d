/**
 * Validation of the spec of a PersistentVolumeClaim, of its own or in the volume of a Pod (upstream:
 * `ValidatePersistentVolumeClaimSpec` in pkg/apis/core/validation).
 */

import {
	fieldForbidden,
	fieldInvalid,
	fieldRequired,
	malformed,
	notSupported,
} from '../../errors/field-errors.ts';
import type { FieldError, FieldPath } from '../../errors/field-path.ts';
import { dns1123Label, dns1123Subdomain } from '../../meta/names.ts';
import { compareQuantities } from '../../meta/quantity.ts';
import { validateLabelSelector } from '../../meta/selector.ts';
import type { PersistentVolumeClaimSpec } from '../pod/schema/volume-claim.ts';
import { validateQuantity } from '../pod/validation/resources.ts';

/** Sorted, as upstream's errors list them. */
const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
const ONCE_POD = 'ReadWriteOncePod';
const VOLUME_MODES = ['Block', 'Filesystem'];

/**
 * Refuses unknown access modes at `path`, and ReadWriteOncePod together with others: it promises a single Pod on a
 * single node, which any other mode contradicts. An unknown mode is no contradiction, only unknown.
 */
export function validateAccessModes(modes: readonly string[], path: FieldPath): readonly FieldError[] {
	const unknown = modes.filter((mode) => !ACCESS_MODES.includes(mode));
	const errors = unknown.map((mode) => notSupported(path, mode, ACCESS_MODES));
	const others = modes.some((mode) => mode !== ONCE_POD && ACCESS_MODES.includes(mode));
	if (others && modes.includes(ONCE_POD)) {
		errors.push(fieldForbidden(path, 'may not use ReadWriteOncePod with other access modes'));
	}
	return errors;
}

/** Refuses a volumeMode that is neither Block nor Filesystem. */
export function validateVolumeMode(mode: string | undefined, path: FieldPath): readonly FieldError[] {
	if (mode === undefined || VOLUME_MODES.includes(mode)) return [];
	return [notSupported(path, mode, VOLUME_MODES)];
}

/** The errors of the spec of a claim, which is at `path`. */
export function validateClaimSpec(spec: PersistentVolumeClaimSpec, path: FieldPath): readonly FieldError[] {
	const { accessModes = [], storageClassName = '', volumeAttributesClassName = '' } = spec;
	const modes = path.child('accessModes');
	return [
		...(accessModes.length === 0 ? [fieldRequired(modes, 'at least 1 access mode is required')] : []),
		...validateLabelSelector(spec.selector, path.child('selector')),
		...validateAccessModes(accessModes, modes),
		...validateSize(spec.resources?.requests?.storage, path.child('resources').key('storage')),
		...validateClassName(storageClassName, path.child('storageClassName')),
		...validateVolumeMode(spec.volumeMode, path.child('volumeMode')),
		...validateDataSources(spec, path),
		...validateClassName(volumeAttributesClassName, path.child('volumeAttributesClassName')),
	];
}

/** Upstream reports the size at `resources[storage]`, although it is in `resources.requests`. */
function validateSize(storage: string | undefined, path: FieldPath): readonly FieldError[] {
	if (storage === undefined) return [fieldRequired(path)];
	if (compareQuantities(storage, '0') <= 0) return [fieldInvalid(path, storage, 'must be greater than zero')];
	return validateQuantity('storage', storage, path);
}

/** The errors of the name of a class at `path`; an empty one is valid and means none. */
export function validateClassName(name: string, path: FieldPath): readonly FieldError[] {
	return name === '' ? [] : malformed(path, name, dns1123Subdomain(name));
}

type DataSource = NonNullable<PersistentVolumeClaimSpec['dataSourceRef']>;

/**
 * The two fields for the content of the volume. They must agree, since dataSourceRef is only the newer form, unless it
 * names a namespace, which dataSource cannot. Upstream's errors about both show the path of the field as their value,
 * which its JSON encoder writes as `{}`.
 */
function validateDataSources(
	{ dataSource, dataSourceRef }: PersistentVolumeClaimSpec,
	path: FieldPath,
): readonly FieldError[] {
	const errors: FieldError[] = [];
	if (dataSource) errors.push(...validateDataSource(dataSource, path.child('dataSource')));
	if (dataSourceRef) errors.push(...validateDataSource(dataSourceRef, path.child('dataSourceRef')));
	if (!dataSource || !dataSourceRef) return errors;
	if (dataSourceRef.namespace) {
		const detail = 'may not be specified when dataSourceRef.namespace is specified';
		errors.push(fieldInvalid(path, {}, detail));
	} else if (!isSameSource(dataSource, dataSourceRef)) {
		errors.push(fieldInvalid(path, {}, 'must match dataSourceRef'));
	}
	return errors;
}

/**
 * An empty API group is the core group, in which only claims can be copied. Which kinds of other groups exist is known
 * to the storage drivers alone.
 */
function validateDataSource(source: DataSource, path: FieldPath): readonly FieldError[] {
	const { apiGroup, kind, name, namespace } = source;
	const errors: FieldError[] = [];
	if (name === '') errors.push(fieldRequired(path.child('name')));
	if (kind === '') errors.push(fieldRequired(path.child('kind')));
	if (apiGroup) errors.push(...malformed(path.child('apiGroup'), apiGroup, dns1123Subdomain(apiGroup)));
	else if (kind !== 'PersistentVolumeClaim') {
		const detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
		errors.push(fieldInvalid(path, kind, detail));
	}
	if (namespace) errors.push(...malformed(path.child('namespace'), namespace, dns1123Label(namespace)));
	return errors;
}

/** Absent and empty groups differ here, as upstream's comparison of pointers. */
function isSameSource(a: DataSource, b: DataSource): boolean {
	return (a.apiGroup ?? null) === (b.apiGroup ?? null) && a.kind === b.kind && a.name === b.name;
}
