/**
 * Validation of the PersistentVolumeClaim that an ephemeral volume creates with its Pod (upstream:
 * `ValidatePersistentVolumeClaimTemplate`). The claim is created later by a controller, so what is wrong with it must
 * be found when the Pod is created: otherwise the Pod never leaves the phase Pending.
 */

import { fieldForbidden, fieldRequired } from '../../../../errors/field-errors.ts';
import type { FieldError, FieldPath } from '../../../../errors/field-path.ts';
import type { ObjectMeta } from '../../../../meta/object-meta.ts';
import { validateLabels } from '../../../../meta/selector.ts';
import { validateAnnotations } from '../../../../meta/validate-meta.ts';
import { validateClaimSpec } from '../../../persistentvolumeclaim/claim-spec.ts';
import type { Volume } from '../../schema/volume.ts';

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
