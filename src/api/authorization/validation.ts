/** Upstream: pkg/apis/authorization/validation. The rules, their order and texts are those of 1.37. */

import { fieldForbidden, fieldInvalid, fieldRequired } from '../errors/field-errors.ts';
import { type FieldError, FieldPath, SPEC } from '../errors/field-path.ts';
import type { ObjectMeta } from '../meta/object-meta.ts';
import { validateLabelRequirement } from '../meta/selector.ts';
import type { AccessResourceAttributes, AccessSpec, SelfAccessSpec } from './access-spec.ts';

interface Review<Spec> {
	readonly metadata: ObjectMeta;
	readonly spec: Spec;
}

/** The errors of a SelfSubjectAccessReview. */
export function validateSelfAccess({ metadata, spec }: Review<SelfAccessSpec>): readonly FieldError[] {
	return [...unionErrors(spec), ...selectorErrors(spec), ...metadataErrors(metadata, [])];
}

/** The errors of a SubjectAccessReview. */
export function validateAccess({ metadata, spec }: Review<AccessSpec>): readonly FieldError[] {
	return [...specErrors(spec), ...metadataErrors(metadata, [])];
}

/** The errors of a LocalSubjectAccessReview. Its namespace is that of the request. */
export function validateLocalAccess({ metadata, spec }: Review<AccessSpec>): readonly FieldError[] {
	const { resourceAttributes, nonResourceAttributes } = spec;
	const errors = [...specErrors(spec), ...metadataErrors(metadata, ['namespace'])];
	const { namespace = '' } = resourceAttributes ?? {};
	if (resourceAttributes && namespace !== metadata.namespace)
		errors.push(
			fieldInvalid(SPEC.child('resourceAttributes', 'namespace'), namespace, 'must match metadata.namespace'),
		);
	if (nonResourceAttributes)
		errors.push(
			fieldInvalid(
				SPEC.child('nonResourceAttributes'),
				internal(nonResourceAttributes),
				'disallowed on this kind of request',
			),
		);
	return errors;
}

function specErrors(spec: AccessSpec): readonly FieldError[] {
	const errors = [...unionErrors(spec)];
	if (!spec.user && (spec.groups ?? []).length === 0)
		errors.push(fieldInvalid(SPEC.child('user'), '', 'at least one of user or group must be specified'));
	return [...errors, ...selectorErrors(spec)];
}

function unionErrors({ resourceAttributes, nonResourceAttributes }: SelfAccessSpec): readonly FieldError[] {
	if ((resourceAttributes === undefined) !== (nonResourceAttributes === undefined)) return [];
	// Go shows a nil pointer as this text.
	const shown = nonResourceAttributes ? internal(nonResourceAttributes) : 'null';
	const detail = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
	return [fieldInvalid(SPEC, shown, detail)];
}

/** As upstream shows it: the Go type has no JSON names. */
function internal({ path = '', verb = '' }: NonNullable<SelfAccessSpec['nonResourceAttributes']>): object {
	return { Path: path, Verb: verb };
}

function metadataErrors(metadata: ObjectMeta, allowed: readonly string[]): readonly FieldError[] {
	const set = Object.keys(metadata).filter((name) => name !== 'managedFields' && !allowed.includes(name));
	if (set.length === 0) return [];
	const detail = allowed.length === 0 ? 'must be empty' : 'must be empty except for namespace';
	return [fieldInvalid(new FieldPath('metadata'), metadata, detail)];
}

type Selector = NonNullable<AccessResourceAttributes['fieldSelector' | 'labelSelector']>;

function selectorErrors({ resourceAttributes }: SelfAccessSpec): readonly FieldError[] {
	const { fieldSelector, labelSelector } = resourceAttributes ?? {};
	const path = SPEC.child('resourceAttributes');
	const errors: FieldError[] = [];
	if (fieldSelector) {
		const at = path.child('fieldSelector');
		errors.push(...formErrors(fieldSelector, at));
		for (const [index, requirement] of (fieldSelector.requirements ?? []).entries())
			errors.push(...fieldRequirementErrors(requirement, at.child('requirements').index(index)));
	}
	if (!labelSelector) return errors;
	const at = path.child('labelSelector');
	errors.push(...formErrors(labelSelector, at));
	// A newer client may know more operators: the authorizer ignores those requirements.
	for (const [index, requirement] of (labelSelector.requirements ?? []).entries())
		errors.push(...validateLabelRequirement(requirement, at.child('requirements').index(index), true));
	return errors;
}

function formErrors(
	{ rawSelector = '', requirements = [] }: Selector,
	path: FieldPath,
): readonly FieldError[] {
	if (rawSelector !== '' && requirements.length > 0)
		return [
			fieldInvalid(
				path.child('rawSelector'),
				rawSelector,
				'may not specified at the same time as requirements',
			),
		];
	if (rawSelector !== '' || requirements.length > 0) return [];
	const detail = `when ${path.text} is specified, requirements or rawSelector is required`;
	return [fieldRequired(path.child('requirements'), detail)];
}

type FieldRequirement = NonNullable<
	NonNullable<AccessResourceAttributes['fieldSelector']>['requirements']
>[number];

function fieldRequirementErrors(
	{ key, operator, values = [] }: FieldRequirement,
	path: FieldPath,
): readonly FieldError[] {
	const errors = key === '' ? [fieldRequired(path.child('key'), 'must be specified')] : [];
	if ((operator === 'In' || operator === 'NotIn') && values.length === 0)
		errors.push(fieldRequired(path.child('values'), "must be specified when `operator` is 'In' or 'NotIn'"));
	if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0)
		errors.push(
			fieldForbidden(
				path.child('values'),
				"may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
			),
		);
	return errors;
}
