import type { FieldError } from '../../meta/field.ts';
import { FieldPath } from '../../meta/field.ts';
import { invalid, required } from '../../meta/field-errors.ts';
import { dns1123Label, dns1123Subdomain } from '../../meta/names.ts';
import { matches, selectorOf, validateLabelSelector } from '../../meta/selector.ts';
import { validateMeta } from '../../meta/validate-meta.ts';
import { expectedLabels } from './labels.ts';
import type { Job } from './schema.ts';
import { validateJobSpec } from './spec-validation.ts';

const RULES = { namespaced: true, name: dns1123Subdomain };

/** The place of a Job's spec. */
export const SPEC = new FieldPath('spec');

/** What is wrong with a Job to be created, in upstream's order. */
export function validateJob(job: Job): readonly FieldError[] {
	return [
		...validateMeta(job.metadata, RULES, new FieldPath('metadata')),
		...validateGeneratedSelector(job, expectedLabels(job)),
		...validateSpecWithSelector(job),
		...validatePodNames(job),
	];
}

/** The spec with its selector: what is checked again when a Job changes. */
export function validateSpecWithSelector({ spec }: Job): readonly FieldError[] {
	const errors = [...validateJobSpec(spec, SPEC)];
	const at = SPEC.child('selector');
	if (spec.selector === undefined) return [...errors, required(at)];
	const selectorErrors = validateLabelSelector(spec.selector, at);
	errors.push(...selectorErrors);
	const labels = spec.template.metadata?.labels ?? {};
	if (selectorErrors.length === 0 && !matches(selectorOf(spec.selector), labels)) {
		const path = SPEC.child('template', 'metadata', 'labels');
		errors.push(invalid(path, labels, '`selector` does not match template `labels`'));
	}
	return errors;
}

/** A generated selector must be left as it was made; `expected` are the labels that go with it. */
export function validateGeneratedSelector(
	{ metadata, spec }: Job,
	expected: readonly (readonly [string, string])[],
): readonly FieldError[] {
	if (spec.manualSelector === true || spec.selector === undefined) return [];
	if (!metadata.uid) return [required(new FieldPath('metadata').child('uid'))];
	const errors: FieldError[] = [];
	const path = SPEC.child('template', 'metadata', 'labels');
	const labels = spec.template.metadata?.labels ?? {};
	for (const [key, value] of expected) {
		const given = labels[key];
		const detail = `must be '${value}'`;
		if (given === undefined) errors.push(required(path.key(key), detail));
		else if (given !== value) errors.push(invalid(path.key(key), given, detail));
	}
	const problems = validateLabelSelector(spec.selector, SPEC.child('selector'));
	if (problems.length === 0 && !matches(selectorOf(spec.selector), Object.fromEntries(expected))) {
		errors.push(invalid(SPEC.child('selector'), spec.selector, '`selector` not auto-generated'));
	}
	return errors;
}

/** The Pods of an Indexed Job have host names made of its name and their index. */
function validatePodNames({ metadata, spec }: Job): readonly FieldError[] {
	if (spec.completionMode !== 'Indexed' || (spec.completions ?? 0) <= 0) return [];
	const longest = `${metadata.name}-${(spec.completions ?? 0) - 1}`;
	if (dns1123Label(longest).length === 0) return [];
	const detail = `will not able to create pod with invalid DNS label: ${longest}`;
	return [invalid(new FieldPath('metadata').child('name'), metadata.name ?? '', detail)];
}

/** Texts for Warning headers on a new Job or one whose spec changed. */
export function jobWarnings({ metadata, spec }: Job): readonly string[] {
	const warnings: string[] = [];
	const problems = dns1123Label(metadata.name ?? '');
	if (problems.length > 0) {
		const advice =
			'this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended';
		warnings.push(`metadata.name: ${advice}: [${problems.join(', ')}]`);
	}
	const huge = (spec.completions ?? 0) > 100_000 && (spec.parallelism ?? 0) > 10_000;
	if (spec.completionMode === 'Indexed' && huge) {
		const advice = 'it may not be possible to track completedIndexes for this Job';
		warnings.push(
			`spec: In Indexed Jobs with a number of completions higher than 100000 and a parallelism higher than 10000, ${advice}`,
		);
	}
	return warnings;
}
