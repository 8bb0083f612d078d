import { compareText } from '../../../base/compare-text.ts';
import { podOwnerNameWarnings, podTemplateWarnings } from '../../core/pod/warnings.ts';
import { fieldInvalid, fieldRequired } from '../../errors/field-errors.ts';
import { type FieldError, FieldPath, SPEC } from '../../errors/field-path.ts';
import { dns1123Label, dns1123Subdomain } from '../../meta/names.ts';
import { matches, selectorOf, validateLabelSelector } from '../../meta/selector.ts';
import { validateMeta } from '../../meta/validate-meta.ts';
import { expectedLabels } from './labels.ts';
import type { Job, JobSpec } from './schema.ts';
import { validateJobSpec } from './spec-validation.ts';

const RULES = { namespaced: true, name: dns1123Subdomain };
const META = new FieldPath('metadata');

/**
 * The errors of a Job, in the order of upstream's ValidateJob. `expected` are the labels that the template must
 * have if the selector was generated.
 */
export function validateJob(job: Job, expected = expectedLabels(job)): readonly FieldError[] {
	return [
		...validateMeta(job.metadata, RULES, META),
		...validateGeneratedSelector(job, expected),
		...validateSpecWithSelector(job),
		...validatePodNames(job),
	];
}

/** The errors of the spec and its selector (upstream: ValidateJobSpec), which an update checks again. */
export function validateSpecWithSelector({ spec }: Job): readonly FieldError[] {
	const errors = [...validateJobSpec(spec, SPEC)];
	const at = SPEC.child('selector');
	if (spec.selector === undefined) errors.push(fieldRequired(at));
	const selectorErrors = validateLabelSelector(spec.selector, at);
	errors.push(...selectorErrors);
	const labels = spec.template.metadata?.labels ?? {};
	if (selectorErrors.length === 0 && !matches(selectorOf(spec.selector), labels)) {
		const path = SPEC.child('template', 'metadata', 'labels');
		errors.push(fieldInvalid(path, sorted(labels), '`selector` does not match template `labels`'));
	}
	return errors;
}

/** A generated selector and its labels must not be changed (upstream: ValidateGeneratedSelector). */
function validateGeneratedSelector(
	{ metadata, spec }: Job,
	expected: readonly (readonly [string, string])[],
): readonly FieldError[] {
	if (spec.manualSelector === true || spec.selector === undefined) return [];
	const errors: FieldError[] = [];
	if (!metadata.uid) errors.push(fieldRequired(META.child('uid')));
	const path = SPEC.child('template', 'metadata', 'labels');
	const labels = spec.template.metadata?.labels ?? {};
	for (const [key, value] of expected) {
		const detail = `must be '${value}'`;
		if (labels[key] === undefined) errors.push(fieldRequired(path.key(key), detail));
		else if (labels[key] !== value) errors.push(fieldInvalid(path.key(key), sorted(labels), detail));
	}
	const at = SPEC.child('selector');
	const readable = validateLabelSelector(spec.selector, at).length === 0;
	if (readable && !matches(selectorOf(spec.selector), Object.fromEntries(expected))) {
		errors.push(fieldInvalid(at, spec.selector, '`selector` not auto-generated'));
	}
	return errors;
}

/** Labels sorted by key, as Go prints a map in errors. */
function sorted(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
	return Object.fromEntries(Object.entries(labels).sort(([a], [b]) => compareText(a, b)));
}

/**
 * The host name of an Indexed Job's Pod is the Job's name and the index, so the longest must be a DNS label.
 */
function validatePodNames({ metadata, spec }: Job): readonly FieldError[] {
	if (spec.completionMode !== 'Indexed' || (spec.completions ?? 0) <= 0) return [];
	const longest = `${metadata.name ?? ''}-${(spec.completions ?? 0) - 1}`;
	if (dns1123Label(longest).length === 0) return [];
	const detail = `will not able to create pod with invalid DNS label: ${longest}`;
	return [fieldInvalid(META.child('name'), metadata.name ?? '', detail)];
}

/** Above both, upstream warns that the lists of indexes in the status may become too large to store. */
const MANY_COMPLETIONS = 100_000;
const MUCH_PARALLELISM = 10_000;

/** Texts for Warning headers on a create (`old` is undefined), or on an update that changes the spec. */
export function jobWarnings(job: Job, old: Job | undefined): readonly string[] {
	const { metadata, spec } = job;
	if (old && old.metadata.generation === metadata.generation) return [];
	return [...(old ? [] : podOwnerNameWarnings(metadata.name)), ...jobSpecWarnings(spec, SPEC)];
}

/** Texts for Warning headers about the spec at `path`: that of a Job, or of a CronJob's template. */
export function jobSpecWarnings(spec: JobSpec, path: FieldPath): readonly string[] {
	const warnings: string[] = [];
	const { completions = 0, parallelism = 0, completionMode } = spec;
	if (completionMode === 'Indexed' && completions > MANY_COMPLETIONS && parallelism > MUCH_PARALLELISM) {
		warnings.push(
			`${path.text}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail`,
		);
	}
	return [...warnings, ...podTemplateWarnings(spec.template, path.child('template'))];
}
