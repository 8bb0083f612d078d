/**
 * Validation of Pod updates (upstream: `ValidatePodUpdate` in pkg/apis/core/validation). Nearly all of a
 * Pod's spec is immutable, since the node agent has acted on it already; a Pod with scheduling gates is not
 * bound to a node yet, so its node constraints can still be narrowed.
 */

import { entryOf, type Int64 } from '../../../../base/json/json.ts';
import { quote } from '../../../../base/quote.ts';
import { fieldForbidden, fieldInvalid, fieldRequired } from '../../../errors/field-errors.ts';
import { type FieldError, type FieldPath, SPEC } from '../../../errors/field-path.ts';
import { inRange } from '../../../meta/names.ts';
import { validateMetaUpdate } from '../../../meta/validate-meta.ts';
import { semanticEqual } from '../../../schema/equality.ts';
import type { Affinity, Container, Pod, PodSpec, Toleration } from '../schema.ts';
import { validateTolerations } from './affinity.ts';
import { validateImageSpaces } from './container.ts';
import { META, validateMetaAndSpec } from './pod.ts';

/**
 * Upstream's text; it is part of the error message and lists the same fields as {@link fixedPart} leaves out.
 */
const MUTABLE =
	'`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

/**
 * The errors of an update from `old` to `pod`. Upstream appends a diff of the two specs to the error about
 * immutable fields; it is left out here, so that the error ends with a line break.
 */
export function validatePodUpdate(pod: Pod, old: Pod): readonly FieldError[] {
	const meta = validateMetaUpdate(pod.metadata, old.metadata, META);
	// The strategy keeps the stored spec object if the new one is equal, so that an update of metadata alone, such
	// as the removal of a finalizer, need not validate the spec again. Pods that were valid once stay writable.
	if (pod.spec === old.spec) return meta;
	const { spec } = pod;
	const errors = [...meta, ...validateMetaAndSpec(pod)];
	for (const list of ['containers', 'initContainers'] as const) {
		const at = SPEC.child(list);
		const containers = spec[list] ?? [];
		if (containers.length !== (old.spec[list] ?? []).length) {
			return [...errors, fieldForbidden(at, 'pod updates may not add or remove containers')];
		}
		errors.push(...containers.flatMap((container, index) => validateImage(container, at.index(index))));
	}
	const deadline = validateDeadline(spec.activeDeadlineSeconds, old.spec.activeDeadlineSeconds);
	errors.push(...deadline);
	// As upstream: an invalid deadline ends the validation, but a removed one does not.
	if (deadline.length > 0 && spec.activeDeadlineSeconds !== undefined) return errors;
	errors.push(
		...validateAddedTolerations(spec.tolerations ?? [], old.spec.tolerations ?? []),
		...validateRemovedGates(spec, old.spec),
	);
	if (semanticEqual(spec, old.spec)) return errors;
	// A gated Pod is not yet known to the scheduler, so its node constraints may still change.
	const gated = (old.spec.schedulingGates ?? []).length > 0;
	if (gated) errors.push(...validateNarrowing(spec, old.spec));
	if (semanticEqual(fixedPart(spec, old.spec, gated), fixedPart(old.spec, old.spec, gated))) return errors;
	return [...errors, fieldForbidden(SPEC, `pod updates may not change fields other than ${MUTABLE}\n`)];
}

/** Upstream: `ValidateContainerUpdates`. The image is the one field of a container that may change: tools patch it. */
function validateImage(container: Container, path: FieldPath): readonly FieldError[] {
	return [
		...(container.image ? [] : [fieldRequired(path.child('image'))]),
		...validateImageSpaces(container, path),
	];
}

/** activeDeadlineSeconds can be set if it was not, and shortened, but neither extended nor removed. */
function validateDeadline(deadline: Int64 | undefined, old: Int64 | undefined): readonly FieldError[] {
	const at = SPEC.child('activeDeadlineSeconds');
	if (deadline === undefined) {
		if (old === undefined) return [];
		return [fieldInvalid(at, null, 'must not update from a positive integer to nil value')];
	}
	const problems = inRange(deadline, 0, 2 ** 31 - 1);
	if (problems.length > 0) return problems.map((problem) => fieldInvalid(at, deadline, problem));
	if (old === undefined || deadline <= old) return [];
	return [fieldInvalid(at, deadline, 'must be less than or equal to previous value')];
}

/** Tolerations can be added. Of existing ones only tolerationSeconds can change. */
function validateAddedTolerations(
	tolerations: readonly Toleration[],
	old: readonly Toleration[],
): readonly FieldError[] {
	const at = SPEC.child('tolerations');
	const withoutTime = ({ key, operator, value, effect }: Toleration): string =>
		[key, operator, value, effect].map((text = '') => quote(text)).join();
	const wanted = new Set(tolerations.map(withoutTime));
	const kept = old.every((each) => wanted.has(withoutTime(each)));
	if (kept) return validateTolerations(tolerations, at);
	return [fieldForbidden(at, 'existing toleration can not be modified except its tolerationSeconds')];
}

/** Gates can only be removed: a Pod that was released to the scheduler may be bound at any moment. */
function validateRemovedGates({ schedulingGates = [] }: PodSpec, old: PodSpec): readonly FieldError[] {
	const known = new Set(old.schedulingGates?.map(({ name }) => name));
	return schedulingGates.flatMap(({ name }, index) => {
		if (known.has(name)) return [];
		const detail = `only deletion is allowed, but found new scheduling gate '${name}'`;
		return [fieldForbidden(SPEC.child('schedulingGates').index(index).child('name'), detail)];
	});
}

/**
 * The node constraints of a gated Pod may only become stricter, so that a decision which another controller
 * made about the Pod by the old constraints, for example on a quota, holds for the remaining nodes as well.
 */
function validateNarrowing(spec: PodSpec, old: PodSpec): readonly FieldError[] {
	const errors: FieldError[] = [];
	const { nodeSelector = {} } = spec;
	if (Object.entries(old.nodeSelector ?? {}).some(([key, value]) => entryOf(nodeSelector, key) !== value)) {
		const detail = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)';
		errors.push(fieldInvalid(SPEC.child('nodeSelector'), nodeSelector, detail));
	}
	const before = termsOf(old.affinity);
	const after = termsOf(spec.affinity);
	const at = SPEC.child(
		'affinity',
		'nodeAffinity',
		'requiredDuringSchedulingIgnoredDuringExecution',
		'nodeSelectorTerms',
	);
	if (before.length > 0 && before.length !== after.length) {
		const detail = 'no additions/deletions to non-empty NodeSelectorTerms list are allowed';
		return [...errors, fieldInvalid(at, after, detail)];
	}
	for (const [index, term] of before.entries()) {
		if (addsOnly(after[index] ?? {}, term)) continue;
		errors.push(
			fieldInvalid(at.index(index), after[index], 'only additions are allowed (no mutations or deletions)'),
		);
	}
	return errors;
}

type Term = NonNullable<
	NonNullable<Affinity['nodeAffinity']>['requiredDuringSchedulingIgnoredDuringExecution']
>['nodeSelectorTerms'][number];

/** Required node affinity terms; preferred ones may change freely while the Pod is gated. */
function termsOf(affinity: Affinity | undefined): readonly Term[] {
	return affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
}

/**
 * Upstream: `validateNodeSelectorTermHasOnlyAdditions`. Requirements of a term are combined by AND, so more of them
 * select fewer nodes.
 */
function addsOnly(term: Term, old: Term): boolean {
	const { matchExpressions = [], matchFields = [] } = old;
	const { matchExpressions: expressions = [], matchFields: fields = [] } = term;
	// A term without requirements matches no node: adding the first requirement would widen the term.
	if (matchExpressions.length + matchFields.length === 0) return expressions.length + fields.length === 0;
	return (
		semanticEqual(expressions.slice(0, matchExpressions.length), matchExpressions) &&
		semanticEqual(fields.slice(0, matchFields.length), matchFields)
	);
}

/** The immutable fields of `spec`. If two specs have equal ones, the update changes only mutable fields. */
function fixedPart(spec: PodSpec, old: PodSpec, gated: boolean): object {
	const {
		activeDeadlineSeconds: _deadline,
		tolerations: _tolerations,
		schedulingGates: _gates,
		terminationGracePeriodSeconds: grace,
		nodeSelector,
		affinity,
		...rest
	} = spec;
	const { nodeAffinity, ...others } = affinity ?? {};
	// Versions before validation of the field stored negative values, which a client may set to 1.
	const repaired = grace === 1 && (old.terminationGracePeriodSeconds ?? 0) < 0;
	return {
		...rest,
		containers: withoutImages(spec.containers),
		initContainers: withoutImages(spec.initContainers ?? []),
		terminationGracePeriodSeconds: repaired ? old.terminationGracePeriodSeconds : grace,
		affinity: { ...others, ...(gated ? {} : { nodeAffinity }) },
		...(gated ? {} : { nodeSelector }),
	};
}

/** The containers as the comparison of immutable fields sees them: an update may change each image. */
function withoutImages(containers: readonly Container[]): readonly object[] {
	return containers.map(({ image: _, ...container }) => container);
}
