import { compareText } from '../../base/compare-text.ts';
import type { PodTemplateSpec } from '../core/pod/schema.ts';
import { validatePodTemplate } from '../core/pod/validation/pod.ts';
import { fieldForbidden, fieldInvalid, fieldRequired, notSupported } from '../errors/field-errors.ts';
import { type FieldError, SPEC } from '../errors/field-path.ts';
import {
	type LabelSelector,
	matches,
	NOTHING,
	type Selector,
	selectorOf,
	validateLabelSelector,
} from '../meta/selector.ts';

const TEMPLATE = SPEC.child('template');

/**
 * The errors of the Pod template of a workload whose Pods run without end: its labels must match the selector, and
 * its Pods must always restart (upstream: ValidatePodTemplateSpecForReplicaSet, ValidatePodTemplateSpecForRC).
 * `kind` is the one that upstream's message names.
 */
export function validateReplicaTemplate(
	template: PodTemplateSpec | undefined,
	selector: Selector,
	kind: 'ReplicaSet' | 'ReplicationController',
): readonly FieldError[] {
	if (!template) return [fieldRequired(TEMPLATE)];
	const errors: FieldError[] = [];
	const labels = template.metadata?.labels ?? {};
	// An absent selector, which selects nothing, matches no labels; an empty one is refused as such.
	if ((selector === NOTHING || selector.length > 0) && !matches(selector, labels)) {
		const shown = Object.fromEntries(Object.entries(labels).sort(([a], [b]) => compareText(a, b)));
		const detail = '`selector` does not match template `labels`';
		errors.push(fieldInvalid(TEMPLATE.child('metadata', 'labels'), shown, detail));
	}
	errors.push(...validatePodTemplate(template, TEMPLATE));
	const { restartPolicy, activeDeadlineSeconds } = template.spec;
	if (restartPolicy !== 'Always')
		errors.push(notSupported(TEMPLATE.child('spec', 'restartPolicy'), restartPolicy ?? '', ['Always']));
	if (activeDeadlineSeconds !== undefined) {
		const detail = `activeDeadlineSeconds in ${kind} is not Supported`;
		errors.push(fieldForbidden(TEMPLATE.child('spec', 'activeDeadlineSeconds'), detail));
	}
	return errors;
}

/**
 * The errors of the selector and the template of a ReplicaSet or Deployment. The text about an empty selector names
 * Deployments in both.
 */
export function validateSelectorAndTemplate({
	selector,
	template,
}: {
	readonly selector?: LabelSelector;
	readonly template: PodTemplateSpec;
}): readonly FieldError[] {
	const path = SPEC.child('selector');
	const errors = [...validateLabelSelector(selector, path)];
	if (errors.length > 0) return [...errors, fieldInvalid(path, selector, 'invalid label selector')];
	if (!selector) errors.push(fieldRequired(path));
	else if (isEmptySelector(selector))
		errors.push(fieldInvalid(path, selector, 'empty selector is invalid for deployment'));
	return [...errors, ...validateReplicaTemplate(template, selectorOf(selector), 'ReplicaSet')];
}

/** Whether the selector has no requirements, so that it selects every Pod. */
export function isEmptySelector({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean {
	return Object.keys(matchLabels).length + matchExpressions.length === 0;
}
