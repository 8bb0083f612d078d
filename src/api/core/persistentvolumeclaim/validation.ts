/**
 * Validation of PersistentVolumeClaims, with the rules and messages of pkg/apis/core/validation. A claim's spec
 * is immutable, except that a controller sets volumeName once, a class can be set if the claim had none, and a
 * bound claim can grow.
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
import { dns1123Subdomain, qualifiedName } from '../../meta/names.ts';
import { compareQuantities, quantityValue } from '../../meta/quantity.ts';
import { validateMeta, validateMetaUpdate } from '../../meta/validate-meta.ts';
import { semanticEqual } from '../../schema/equality.ts';
import { validateQuantity } from '../pod/validation/resources.ts';
import { CLASS_ANNOTATION } from './claim-class.ts';
import { validateClaimSpec } from './claim-spec.ts';
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from './schema.ts';

const META = new FieldPath('metadata');
const STATUS = new FieldPath('status');
const RULES = { namespaced: true, name: dns1123Subdomain };

/** The errors of a new claim. */
export function validateClaim(claim: PersistentVolumeClaim): readonly FieldError[] {
	return [...validateMeta(claim.metadata, RULES, META), ...validateClaimSpec(claim.spec, SPEC)];
}

/**
 * The errors of an update from `old` to `claim`. Upstream appends a diff of the two specs to the error about
 * immutable fields; it is left out here, so that the error ends with a line break.
 */
export function validateClaimUpdate(
	claim: PersistentVolumeClaim,
	old: PersistentVolumeClaim,
): readonly FieldError[] {
	const errors = [...validateMetaUpdate(claim.metadata, old.metadata, META), ...validateClaim(claim)];
	const upgrade = classUpgrade(claim, old);
	const annotation = claim.metadata.annotations?.[CLASS_ANNOTATION] ?? '';
	if (upgrade !== 'annotation' && annotation !== (old.metadata.annotations?.[CLASS_ANNOTATION] ?? '')) {
		errors.push(immutable(META.child('annotations', CLASS_ANNOTATION), annotation));
	}
	if (!semanticEqual(comparable(claim, old, upgrade), old.spec)) {
		const detail =
			'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n';
		errors.push(fieldForbidden(SPEC, detail));
	}
	const size = sizeOf(claim.spec.resources?.requests);
	const isShrunk = compareQuantities(size, sizeOf(old.spec.resources?.requests)) < 0;
	if (isShrunk && compareQuantities(size, sizeOf(old.status.capacity)) <= 0) {
		const at = SPEC.child('resources', 'requests', 'storage');
		errors.push(fieldForbidden(at, 'field can not be less than status.capacity'));
	}
	const { volumeMode } = claim.spec;
	if (volumeMode !== old.spec.volumeMode) errors.push(immutable(new FieldPath('volumeMode'), volumeMode));
	return [...errors, ...validateAttributesClass(claim.spec, old)];
}

function sizeOf(amounts: Readonly<Record<string, string>> = {}): string {
	return amounts.storage ?? '0';
}

/**
 * Whether the update sets the class of a claim that had no storageClassName: from its annotation, or because it
 * had no class at all (upstream: `validateStorageClassUpgradeFromAnnotation` and `…FromNil`).
 */
function classUpgrade(
	claim: PersistentVolumeClaim,
	old: PersistentVolumeClaim,
): 'annotation' | 'unset' | undefined {
	const { storageClassName: name } = claim.spec;
	if (name === undefined || old.spec.storageClassName !== undefined) return undefined;
	const before = old.metadata.annotations?.[CLASS_ANNOTATION];
	if (before === undefined) return 'unset';
	const after = claim.metadata.annotations?.[CLASS_ANNOTATION];
	if (name === before) return after === undefined || after === before ? 'annotation' : 'unset';
	return undefined;
}

/** The new spec with the old values of all that the update may change. */
function comparable(
	claim: PersistentVolumeClaim,
	old: PersistentVolumeClaim,
	upgrade: ReturnType<typeof classUpgrade>,
): PersistentVolumeClaimSpec {
	let spec: Record<string, unknown> = { ...claim.spec };
	if (!old.spec.volumeName) delete spec.volumeName;
	if (upgrade) delete spec.storageClassName;
	if (claim.status.phase === 'Bound') {
		const { storage } = old.spec.resources?.requests ?? {};
		const requests = { ...claim.spec.resources?.requests, ...(storage !== undefined && { storage }) };
		spec = { ...spec, resources: { ...claim.spec.resources, requests } };
		spec.volumeAttributesClassName = old.spec.volumeAttributesClassName;
	}
	return spec;
}

/** A VolumeAttributesClass that was applied can be replaced, but not removed. */
function validateAttributesClass(
	{ volumeAttributesClassName: name }: PersistentVolumeClaimSpec,
	old: PersistentVolumeClaim,
): readonly FieldError[] {
	if (name === old.spec.volumeAttributesClassName) return [];
	if (old.status.currentVolumeAttributesClassName === undefined || name) return [];
	const to = name === undefined ? 'nil' : 'empty string';
	const detail = `update to ${to} is forbidden when status.currentVolumeAttributesClassName is not nil`;
	return [fieldForbidden(SPEC.child('volumeAttributesClassName'), detail)];
}

const RESIZE_STATES = [
	'ControllerResizeInProgress',
	'ControllerResizeInfeasible',
	'NodeResizeInProgress',
	'NodeResizeInfeasible',
	'NodeResizePending',
];

/** The errors of an update of the status. */
export function validateClaimStatus(
	claim: PersistentVolumeClaim,
	old: PersistentVolumeClaim,
): readonly FieldError[] {
	const { capacity = {}, allocatedResources = {}, allocatedResourceStatuses = {} } = claim.status;
	const errors = [...validateMetaUpdate(claim.metadata, old.metadata, META)];
	const modes = claim.spec.accessModes ?? [];
	if (modes.length === 0) errors.push(fieldRequired(new FieldPath('Spec').child('accessModes')));
	for (const [resource, quantity] of Object.entries(capacity)) {
		errors.push(...validateAmount(quantity, STATUS.child('capacity').key(resource)));
	}
	const states = STATUS.child('allocatedResourceStatuses');
	for (const [resource, state] of Object.entries(allocatedResourceStatuses)) {
		errors.push(...validateResourceKey(resource, states));
		// Upstream shows the resource, although the state is what is not supported.
		if (!RESIZE_STATES.includes(state))
			errors.push(notSupported(states, resource, [...RESIZE_STATES].sort()));
	}
	const allocated = STATUS.child('allocatedResources');
	for (const [resource, quantity] of Object.entries(allocatedResources)) {
		const problems = validateResourceKey(resource, allocated);
		errors.push(...problems);
		if (problems.length > 0) continue;
		const at = allocated.key(resource);
		const wrong = validateAmount(quantity, at);
		errors.push(...(wrong.length > 0 ? wrong : validateQuantity('storage', quantity, at)));
	}
	return errors;
}

/** Refuses a negative amount (upstream: `validateBasicResource`). */
export function validateAmount(quantity: string, path: FieldPath): readonly FieldError[] {
	const value = quantityValue(quantity);
	return value < 0 ? [fieldInvalid(path, value, 'must be a valid resource quantity')] : [];
}

/** Of the resources without a domain of their own, a claim has only storage. */
function validateResourceKey(resource: string, path: FieldPath): readonly FieldError[] {
	const errors = malformed(path, resource, qualifiedName(resource));
	if (errors.length > 0 || resource === 'storage') return errors;
	const isNative = !resource.includes('/') || resource.includes('kubernetes.io/');
	return isNative ? [notSupported(path, resource, ['storage'])] : [];
}
