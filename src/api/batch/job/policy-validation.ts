import {
	duplicate,
	fieldInvalid,
	fieldRequired,
	invalidUnshown,
	nonNegative,
	notSupported,
	tooLong,
	tooMany,
} from '../../errors/field-errors.ts';
import type { FieldError, FieldPath } from '../../errors/field-path.ts';
import { exceeds, qualifiedName } from '../../meta/names.ts';
import type { JobSpec, PodFailurePolicyRule, SuccessPolicyRule } from './schema.ts';
import { parseIndexList } from './strict-index-list.ts';

/** Limits of pod failure and success policies, the same as upstream's. */
const MOST_RULES = 20;
const MOST_EXIT_CODES = 255;
const MOST_CONDITIONS = 20;
const LONGEST_INDEX_LIST = 65_536;
const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore'];
const OPERATORS = ['In', 'NotIn'];
const STATUSES = ['False', 'True', 'Unknown'];

/** The errors of the pod failure policy (upstream: validatePodFailurePolicy). */
export function validatePodFailurePolicy(spec: JobSpec, path: FieldPath): readonly FieldError[] {
	const rules = spec.podFailurePolicy?.rules ?? [];
	const at = path.child('rules');
	const { containers, initContainers = [] } = spec.template.spec;
	const names = new Set([...containers, ...initContainers].map(({ name }) => name));
	return [
		...(rules.length > MOST_RULES ? [tooMany(at, rules.length, MOST_RULES)] : []),
		...rules.flatMap((rule, index) => validateRule(rule, { spec, names }, at.index(index))),
	];
}

/**
 * The errors of a value that must be one of `values`. For a missing one the error lists them as Go prints a
 * slice.
 */
function chosen(value: string, values: readonly string[], path: FieldPath): readonly FieldError[] {
	if (value === '')
		return [fieldRequired(path, `valid values: [${values.map((each) => `"${each}"`).join(' ')}]`)];
	return values.includes(value) ? [] : [notSupported(path, value, values)];
}

/**
 * A rule must match by exit codes or by Pod conditions, not by both (upstream: validatePodFailurePolicyRule).
 */
function validateRule(
	rule: PodFailurePolicyRule,
	{ spec, names }: { readonly spec: JobSpec; readonly names: ReadonlySet<string> },
	path: FieldPath,
): readonly FieldError[] {
	const errors: FieldError[] = [];
	const { action, onExitCodes, onPodConditions = [] } = rule;
	if (action === 'FailIndex' && spec.backoffLimitPerIndex === undefined) {
		errors.push(fieldInvalid(path.child('action'), action, 'requires the backoffLimitPerIndex to be set'));
	} else {
		errors.push(...chosen(action, ACTIONS, path.child('action')));
	}
	if (onExitCodes) errors.push(...validateExitCodes(onExitCodes, names, path.child('onExitCodes')));
	errors.push(...validateConditions(onPodConditions, path.child('onPodConditions')));
	if (onExitCodes && onPodConditions.length > 0) {
		errors.push(invalidUnshown(path, 'specifying both OnExitCodes and OnPodConditions is not supported'));
	}
	if (!onExitCodes && onPodConditions.length === 0) {
		errors.push(invalidUnshown(path, 'specifying one of OnExitCodes and OnPodConditions is required'));
	}
	return errors;
}

/** 0 is no failure, so `In` must not list it. Values are ordered so that duplicates are easy to see. */
function validateExitCodes(
	{ operator, values, containerName }: NonNullable<PodFailurePolicyRule['onExitCodes']>,
	names: ReadonlySet<string>,
	path: FieldPath,
): readonly FieldError[] {
	const errors = [...chosen(operator, OPERATORS, path.child('operator'))];
	if (containerName !== undefined && !names.has(containerName)) {
		const detail = 'must be one of the container or initContainer names in the pod template';
		errors.push(fieldInvalid(path.child('containerName'), containerName, detail));
	}
	const at = path.child('values');
	if (values.length === 0) errors.push(fieldInvalid(at, values, 'at least one value is required'));
	if (values.length > MOST_EXIT_CODES) errors.push(tooMany(at, values.length, MOST_EXIT_CODES));
	const seen = new Set<number>();
	for (const [index, value] of values.entries()) {
		if (operator === 'In' && value === 0) {
			errors.push(fieldInvalid(at.index(index), value, 'must not be 0 for the In operator'));
		}
		if (seen.has(value)) errors.push(duplicate(at.index(index), value));
		seen.add(value);
	}
	if (values.some((value, index) => index > 0 && (values[index - 1] ?? 0) > value)) {
		errors.push(fieldInvalid(at, values, 'must be ordered'));
	}
	return errors;
}

/** Each pattern has a condition type in the syntax of a label key, and one of the three statuses. */
function validateConditions(
	patterns: NonNullable<PodFailurePolicyRule['onPodConditions']>,
	path: FieldPath,
): readonly FieldError[] {
	return [
		...(patterns.length > MOST_CONDITIONS ? [tooMany(path, patterns.length, MOST_CONDITIONS)] : []),
		...patterns.flatMap(({ type, status }, index) => [
			...qualifiedName(type).map((text) => fieldInvalid(path.index(index).child('type'), type, text)),
			...chosen(status, STATUSES, path.index(index).child('status')),
		]),
	];
}

/** The errors of the success policy of an Indexed Job (upstream: validateSuccessPolicy). */
export function validateSuccessPolicy(spec: JobSpec, path: FieldPath): readonly FieldError[] {
	const rules = spec.successPolicy?.rules ?? [];
	const at = path.child('rules');
	const errors: FieldError[] = [];
	if (rules.length === 0) {
		errors.push(
			fieldRequired(at, 'at least one rules must be specified when the successPolicy is specified'),
		);
	}
	if (rules.length > MOST_RULES) errors.push(tooMany(at, rules.length, MOST_RULES));
	for (const [index, rule] of rules.entries()) {
		errors.push(...validateSuccessRule(rule, spec.completions ?? 0, at.index(index)));
	}
	return errors;
}

/** A rule must set a count, indexes or both; a count beyond the indexes could never be reached. */
function validateSuccessRule(
	rule: SuccessPolicyRule,
	completions: number,
	path: FieldPath,
): readonly FieldError[] {
	const { succeededCount, succeededIndexes } = rule;
	if (succeededCount === undefined && succeededIndexes === undefined) {
		return [fieldRequired(path, 'at least one of succeededCount or succeededIndexes must be specified')];
	}
	const errors: FieldError[] = [];
	let listed: number | undefined;
	if (succeededIndexes !== undefined) {
		const at = path.child('succeededIndexes');
		if (exceeds(succeededIndexes, LONGEST_INDEX_LIST)) errors.push(tooLong(at, LONGEST_INDEX_LIST));
		const list = parseIndexList(succeededIndexes, completions);
		if (!list.ok)
			errors.push(fieldInvalid(at, succeededIndexes, `error parsing succeededIndexes: ${list.error}`));
		// As upstream, an invalid list counts as 0 indexes, so any succeededCount is an error as well.
		listed = list.ok ? list.size : 0;
	}
	if (succeededCount === undefined) return errors;
	const at = path.child('succeededCount');
	errors.push(...nonNegative(at, succeededCount));
	if (succeededCount > completions) {
		const detail = `must be less than or equal to ${completions} (the number of specified completions)`;
		errors.push(fieldInvalid(at, succeededCount, detail));
	}
	if (listed !== undefined && succeededCount > listed) {
		const detail = `must be less than or equal to ${listed} (the number of indexes in the specified succeededIndexes field)`;
		errors.push(fieldInvalid(at, succeededCount, detail));
	}
	return errors;
}
