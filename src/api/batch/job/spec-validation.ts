/**
 * Validation of a JobSpec, in the order of upstream's validateJobSpec. It serves Jobs and the templates of
 * CronJobs. The rules for selectors are in validation.ts, since templates have no selector.
 */

import { validatePodTemplate } from '../../core/pod/validation/pod.ts';
import {
	fieldInvalid,
	fieldRequired,
	nonNegative,
	notSupported,
	tooLong,
} from '../../errors/field-errors.ts';
import type { FieldError, FieldPath } from '../../errors/field-path.ts';
import { dns1123Subdomain, exceeds } from '../../meta/names.ts';
import { validatePodFailurePolicy, validateSuccessPolicy } from './policy-validation.ts';
import type { JobSpec } from './schema.ts';

/** Upstream's limits. They bound completedIndexes and failedIndexes, which a status stores as text. */
const MOST_INDEXED_PODS = 100_000;
const MOST_FAILED_INDEXES = 100_000;
const MANY_COMPLETIONS = 100_000;
const MOST_WITH_MANY_COMPLETIONS = 10_000;
const LONGEST_MANAGER = 63;
const COMPLETION_MODES = ['NonIndexed', 'Indexed'];
const COUNTS = [
	'parallelism',
	'completions',
	'activeDeadlineSeconds',
	'backoffLimit',
	'ttlSecondsAfterFinished',
	'backoffLimitPerIndex',
	'maxFailedIndexes',
] as const;

/** The errors of the spec at `path`. */
export function validateJobSpec(spec: JobSpec, path: FieldPath): readonly FieldError[] {
	const errors: FieldError[] = [];
	for (const count of COUNTS) errors.push(...nonNegative(path.child(count), spec[count] ?? 0));
	if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
		errors.push(fieldRequired(path.child('backoffLimitPerIndex'), 'when maxFailedIndexes is specified'));
	}
	if (spec.managedBy !== undefined) errors.push(...validateManager(spec.managedBy, path.child('managedBy')));
	const mode: string = spec.completionMode ?? 'NonIndexed';
	if (!COMPLETION_MODES.includes(mode)) {
		errors.push(notSupported(path.child('completionMode'), mode, COMPLETION_MODES));
	}
	if (mode === 'Indexed') errors.push(...validateIndexed(spec, path));
	if (mode === 'NonIndexed') errors.push(...validateNotIndexed(spec, path));
	if (spec.podFailurePolicy) errors.push(...validatePodFailurePolicy(spec, path.child('podFailurePolicy')));
	if (spec.successPolicy) {
		const at = path.child('successPolicy');
		if (mode === 'Indexed') errors.push(...validateSuccessPolicy(spec, at));
		else errors.push(fieldInvalid(at, spec.successPolicy, 'requires indexed completion mode'));
	}
	errors.push(...validateReplacement(spec, path.child('podReplacementPolicy')));
	return [...errors, ...validateTemplate(spec, path.child('template'))];
}

const PATH_CHARACTERS = /^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/;

/** The errors of a managedBy, which must be a domain with a path: `acme.io/foo`. */
function validateManager(managedBy: string, path: FieldPath): readonly FieldError[] {
	if (managedBy === '') return [fieldRequired(path)];
	const errors: FieldError[] = [];
	const slash = managedBy.indexOf('/');
	const host = managedBy.slice(0, Math.max(slash, 0));
	const rest = managedBy.slice(slash + 1);
	if (host === '' || rest === '') {
		errors.push(fieldInvalid(path, managedBy, 'must be a domain-prefixed path (such as "acme.io/foo")'));
	} else {
		for (const text of dns1123Subdomain(host)) errors.push(fieldInvalid(path, host, text));
		if (!PATH_CHARACTERS.test(rest)) {
			const form = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
			errors.push(fieldInvalid(path, rest, `Invalid path (regex used for validation is '${form}')`));
		}
	}
	if (exceeds(managedBy, LONGEST_MANAGER)) errors.push(tooLong(path, LONGEST_MANAGER));
	return errors;
}

/** Indexed Jobs: completions is required, and the number of indexes and failures to track is limited. */
function validateIndexed(spec: JobSpec, path: FieldPath): readonly FieldError[] {
	const errors: FieldError[] = [];
	const { completions, parallelism = 0, maxFailedIndexes, backoffLimitPerIndex } = spec;
	if (completions === undefined) {
		errors.push(fieldRequired(path.child('completions'), 'when completion mode is Indexed'));
	}
	const tooHigh = (field: string, value: number, limit: string): void => {
		errors.push(fieldInvalid(path.child(field), value, `must be less than or equal to ${limit}`));
	};
	if (parallelism > MOST_INDEXED_PODS) {
		tooHigh('parallelism', parallelism, `${MOST_INDEXED_PODS} when completion mode is Indexed`);
	}
	if (maxFailedIndexes !== undefined) {
		if (completions !== undefined && maxFailedIndexes > completions) {
			tooHigh('maxFailedIndexes', maxFailedIndexes, 'completions');
		}
		if (maxFailedIndexes > MOST_FAILED_INDEXES)
			tooHigh('maxFailedIndexes', maxFailedIndexes, `${MOST_FAILED_INDEXES}`);
	}
	if ((completions ?? 0) <= MANY_COMPLETIONS || backoffLimitPerIndex === undefined) return errors;
	const limit = `${MOST_WITH_MANY_COMPLETIONS} when completions are above ${MANY_COMPLETIONS} and used with backoff limit per index`;
	if (maxFailedIndexes === undefined) {
		errors.push(
			fieldRequired(
				path.child('maxFailedIndexes'),
				`must be specified when completions is above ${MANY_COMPLETIONS}`,
			),
		);
	}
	if (parallelism > MOST_WITH_MANY_COMPLETIONS) tooHigh('parallelism', parallelism, limit);
	if ((maxFailedIndexes ?? 0) > MOST_WITH_MANY_COMPLETIONS)
		tooHigh('maxFailedIndexes', maxFailedIndexes ?? 0, limit);
	return errors;
}

/** Limits per index mean nothing without indexes. */
function validateNotIndexed(spec: JobSpec, path: FieldPath): readonly FieldError[] {
	return (['backoffLimitPerIndex', 'maxFailedIndexes'] as const)
		.filter((field) => spec[field] !== undefined)
		.map((field) => fieldInvalid(path.child(field), spec[field], 'requires indexed completion mode'));
}

/**
 * With a failure policy only `Failed` is supported: whether a failure counts is known once the Pod has ended,
 * and a replacement created before that might have to be undone.
 */
function validateReplacement(spec: JobSpec, path: FieldPath): readonly FieldError[] {
	const policy: string | undefined = spec.podReplacementPolicy;
	if (policy === undefined) return [];
	const supported = spec.podFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed'];
	return supported.includes(policy) ? [] : [notSupported(path, policy, supported)];
}

/** The Pod template, which must let Pods end: `Always` would restart their containers forever. */
function validateTemplate(spec: JobSpec, path: FieldPath): readonly FieldError[] {
	const errors = [...validatePodTemplate(spec.template, path)];
	const at = path.child('spec', 'restartPolicy');
	const policy: string = spec.template.spec.restartPolicy ?? '';
	if (policy === '' || policy === 'Always') {
		errors.push(fieldRequired(at, 'valid values: "OnFailure", "Never"'));
	} else if (policy !== 'OnFailure' && policy !== 'Never') {
		errors.push(notSupported(at, policy, ['OnFailure', 'Never']));
	} else if (spec.podFailurePolicy && policy !== 'Never') {
		errors.push(fieldInvalid(at, policy, 'only "Never" is supported when podFailurePolicy is specified'));
	}
	return errors;
}
