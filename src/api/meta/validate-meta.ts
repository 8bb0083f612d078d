/**
 * Validation of metadata, the same for all kinds (upstream: ValidateObjectMeta and ValidateObjectMetaUpdate
 * in k8s.io/apimachinery/pkg/api/validation).
 */

import {
	fieldForbidden,
	fieldInvalid,
	fieldRequired,
	immutable,
	nonNegative,
	tooLong,
} from '../errors/field-errors.ts';
import type { FieldError, FieldPath } from '../errors/field-path.ts';
import { asPrefix, dns1123Label, exceeds, type NameCheck, qualifiedName, utf8Length } from './names.ts';
import type { ObjectMeta, OwnerReference } from './object-meta.ts';
import { validateLabels } from './selector.ts';

/** The rules that depend on the kind. */
export interface MetaRules {
	readonly namespaced: boolean;
	/** The check of names: dns1123Subdomain for most kinds. */
	readonly name: NameCheck;
}

/** The errors of the metadata of a new object. The server has already generated the name, if it does. */
export function validateMeta(meta: ObjectMeta, rules: MetaRules, path: FieldPath): readonly FieldError[] {
	return [
		...validateName(meta, rules.name, path),
		...validateNamespace(meta.namespace ?? '', rules.namespaced, path.child('namespace')),
		...nonNegative(path.child('generation'), meta.generation ?? 0),
		...validateTags(meta, path),
		...validateFinalizers(meta.finalizers ?? [], path.child('finalizers')),
		...validateManagedFields(meta, path.child('managedFields')),
		...validateFinalizerOwners(meta.finalizers ?? [], path.child('finalizers')),
	];
}

/** The errors of the metadata in an update of `old`. */
export function validateMetaUpdate(
	meta: ObjectMeta,
	old: ObjectMeta,
	path: FieldPath,
): readonly FieldError[] {
	const errors: FieldError[] = [];
	if (old.deletionTimestamp !== undefined) {
		errors.push(...noNewFinalizers(meta.finalizers ?? [], old.finalizers ?? [], path.child('finalizers')));
	}
	if ((meta.resourceVersion ?? '') === '') {
		errors.push(fieldInvalid(path.child('resourceVersion'), '', 'must be specified for an update'));
	}
	if ((meta.generation ?? 0) < (old.generation ?? 0)) {
		errors.push(fieldInvalid(path.child('generation'), meta.generation ?? 0, 'must not be decremented'));
	}
	for (const name of IMMUTABLE_FIELDS) {
		if (meta[name] === old[name]) continue;
		// Errors show an absent pointer of Go as null and an absent string as empty text.
		const missing = name.startsWith('deletion') || name === 'creationTimestamp' ? undefined : '';
		errors.push(immutable(path.child(name), meta[name] ?? missing));
	}
	errors.push(...validateTags(meta, path), ...validateManagedFields(meta, path.child('managedFields')));
	errors.push(...validateFinalizerOwners(meta.finalizers ?? [], path.child('finalizers')));
	return errors;
}

/**
 * The errors of annotations. Keys may contain capitals in the prefix too; the total size is at most 256 KiB.
 */
export function validateAnnotations(
	annotations: Readonly<Record<string, string>> | undefined,
	path: FieldPath,
): readonly FieldError[] {
	const errors: FieldError[] = [];
	for (const key in annotations) {
		for (const text of qualifiedName(key.toLowerCase())) errors.push(fieldInvalid(path, key, text));
	}
	errors.push(...validateAnnotationsSize(annotations, path));
	return errors;
}

/** The error of annotations whose keys and values are too large in total (upstream: ValidateAnnotationsSize). */
export function validateAnnotationsSize(
	annotations: Readonly<Record<string, string>> | undefined,
	path: FieldPath,
): readonly FieldError[] {
	let sizeBytes = 0;
	for (const key in annotations) sizeBytes += utf8Length(key) + utf8Length(annotations[key] ?? '');
	return sizeBytes > MAX_ANNOTATIONS_BYTES ? [tooLong(path, MAX_ANNOTATIONS_BYTES)] : [];
}

const MAX_ANNOTATIONS_BYTES = 256 * 1024;

/**
 * The finalizer of the propagation policy Orphan. An object has at most one of this and FOREGROUND_FINALIZER.
 */
export const ORPHAN_FINALIZER = 'orphan';

/** The finalizer of the propagation policy Foreground; see {@link ORPHAN_FINALIZER}. */
export const FOREGROUND_FINALIZER = 'foregroundDeletion';

/** The finalizers that need no domain prefix. */
const STANDARD_FINALIZERS = [ORPHAN_FINALIZER, FOREGROUND_FINALIZER, 'kubernetes'];

/** The error of a finalizer that is neither a standard one nor has a domain prefix. */
export function validateFinalizerOwner(finalizer: string, path: FieldPath): readonly FieldError[] {
	if (finalizer.includes('/') || STANDARD_FINALIZERS.includes(finalizer)) return [];
	const text = 'name is neither a standard finalizer name nor is it fully qualified';
	return [fieldInvalid(path, finalizer, text)];
}

/**
 * The fields that identify the object or belong to its deletion: the server sets them, and no update changes
 * them.
 */
const IMMUTABLE_FIELDS = [
	'name',
	'namespace',
	'uid',
	'creationTimestamp',
	'deletionTimestamp',
	'deletionGracePeriodSeconds',
] as const;

/** Both generateName and name are validated, since a client may set both: then name is used. */
function validateName(meta: ObjectMeta, check: NameCheck, path: FieldPath): readonly FieldError[] {
	const errors: FieldError[] = [];
	const { name = '', generateName = '' } = meta;
	if (generateName !== '') {
		for (const text of asPrefix(check)(generateName)) {
			errors.push(fieldInvalid(path.child('generateName'), generateName, text));
		}
	}
	if (name === '') errors.push(fieldRequired(path.child('name'), 'name or generateName is required'));
	else for (const text of check(name)) errors.push(fieldInvalid(path.child('name'), name, text));
	return errors;
}

function validateNamespace(namespace: string, namespaced: boolean, path: FieldPath): readonly FieldError[] {
	if (!namespaced) return namespace === '' ? [] : [fieldForbidden(path, 'not allowed on this type')];
	if (namespace === '') return [fieldRequired(path)];
	return dns1123Label(namespace).map((text) => fieldInvalid(path, namespace, text));
}

function validateTags(meta: ObjectMeta, path: FieldPath): readonly FieldError[] {
	return [
		...validateLabels(meta.labels, path.child('labels')),
		...validateAnnotations(meta.annotations, path.child('annotations')),
		...validateOwners(meta.ownerReferences ?? [], path.child('ownerReferences')),
	];
}

/** At most one owner may be the controller: two would work against each other. */
function validateOwners(owners: readonly OwnerReference[], path: FieldPath): readonly FieldError[] {
	const errors: FieldError[] = [];
	let controller: string | undefined;
	for (const owner of owners) {
		errors.push(...validateOwner(owner, path));
		if (owner.controller !== true) continue;
		const name = `${owner.kind}/${owner.name}`;
		if (controller === undefined) {
			controller = name;
			continue;
		}
		const text = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${name}`;
		errors.push(fieldInvalid(path, owners, text));
	}
	return errors;
}

/** An owner must be named completely, and must not be an Event (upstream: BannedOwners). */
function validateOwner(owner: OwnerReference, path: FieldPath): readonly FieldError[] {
	const errors: FieldError[] = [];
	const version = owner.apiVersion.split('/').at(-1);
	if (version === '') {
		errors.push(fieldInvalid(path.child('apiVersion'), owner.apiVersion, 'version must not be empty'));
	}
	for (const name of ['kind', 'name', 'uid'] as const) {
		if (owner[name] === '') errors.push(fieldInvalid(path.child(name), '', 'must not be empty'));
	}
	if (owner.apiVersion === 'v1' && owner.kind === 'Event') {
		errors.push(fieldInvalid(path, owner, '/v1, Kind=Event is disallowed from being an owner'));
	}
	return errors;
}

function validateFinalizers(finalizers: readonly string[], path: FieldPath): readonly FieldError[] {
	const errors = finalizers.flatMap((finalizer) =>
		qualifiedName(finalizer).map((text) => fieldInvalid(path, finalizer, text)),
	);
	if (finalizers.includes(ORPHAN_FINALIZER) && finalizers.includes(FOREGROUND_FINALIZER)) {
		const text = `finalizer ${ORPHAN_FINALIZER} and ${FOREGROUND_FINALIZER} cannot be both set`;
		errors.push(fieldInvalid(path, finalizers, text));
	}
	return errors;
}

function validateFinalizerOwners(finalizers: readonly string[], path: FieldPath): readonly FieldError[] {
	return finalizers.flatMap((finalizer, index) => validateFinalizerOwner(finalizer, path.index(index)));
}

/**
 * New finalizers are refused while an object is being deleted: they could keep it from ever being removed.
 */
function noNewFinalizers(
	finalizers: readonly string[],
	old: readonly string[],
	path: FieldPath,
): readonly FieldError[] {
	const extra = [...new Set(finalizers).difference(new Set(old))].sort();
	if (extra.length === 0) return [];
	const shown = extra.map((finalizer) => `"${finalizer}"`).join(', ');
	return [
		fieldForbidden(
			path,
			`no new finalizers can be added if the object is being deleted, found new finalizers []string{${shown}}`,
		),
	];
}

function validateManagedFields(meta: ObjectMeta, path: FieldPath): readonly FieldError[] {
	const errors: FieldError[] = [];
	for (const [index, entry] of (meta.managedFields ?? []).entries()) {
		const { operation = '', fieldsType = '', manager = '' } = entry;
		const at = path.index(index);
		if (operation !== 'Apply' && operation !== 'Update') {
			errors.push(fieldInvalid(at.child('operation'), operation, 'must be `Apply` or `Update`'));
		}
		if (fieldsType !== '' && fieldsType !== 'FieldsV1') {
			errors.push(fieldInvalid(at.child('fieldsType'), fieldsType, 'must be `FieldsV1`'));
		}
		if (exceeds(manager, 128)) errors.push(tooLong(at.child('manager'), 128));
	}
	return errors;
}
