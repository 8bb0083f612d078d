/**
 * Validation of the scheduling constraints of a Pod: affinity, topology spread constraints and tolerations.
 * Rules, messages and paths are those of upstream's `validateAffinity`, `validateTopologySpreadConstraints`
 * and `ValidateTolerations` in pkg/apis/core/validation.
 */

import {
	chosen,
	duplicate,
	fieldForbidden,
	fieldInvalid,
	fieldRequired,
	malformed,
	notSupported,
} from '../../../errors/field-errors.ts';
import type { FieldError, FieldPath } from '../../../errors/field-path.ts';
import { dns1123Label, dns1123Subdomain, labelValue, qualifiedName } from '../../../meta/names.ts';
import { type LabelSelector, validateLabelSelector } from '../../../meta/selector.ts';
import type {
	Affinity,
	NodeSelector,
	NodeSelectorRequirement,
	NodeSelectorTerm,
	PodAffinityTerm,
	Toleration,
	TopologySpreadConstraint,
} from '../schema/affinity.ts';

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution';

/** Validates node affinity, Pod affinity and Pod anti-affinity. */
export function validateAffinity(affinity: Affinity | undefined, path: FieldPath): readonly FieldError[] {
	if (!affinity) return [];
	const errors: FieldError[] = [];
	if (affinity.nodeAffinity) {
		errors.push(...validateNodeAffinity(affinity.nodeAffinity, path.child('nodeAffinity')));
	}
	// Affinity and anti-affinity have the same form: upstream validates them by two copies of the same functions.
	for (const field of ['podAffinity', 'podAntiAffinity'] as const) {
		const { [REQUIRED]: needed = [], [PREFERRED]: preferred = [] } = affinity[field] ?? {};
		const at = path.child(field);
		errors.push(
			...needed.flatMap((term, index) => validatePodTerm(term, at.child(REQUIRED).index(index))),
			...preferred.flatMap(({ weight, podAffinityTerm }, index) => {
				const item = at.child(PREFERRED).index(index);
				return [
					...validateWeight(weight, item.child('weight')),
					...validatePodTerm(podAffinityTerm, item.child('podAffinityTerm')),
				];
			}),
		);
	}
	return errors;
}

/**
 * Required affinity needs at least one term: an empty list matches no node, so that the Pod could never run.
 */
function validateNodeAffinity(
	{ [REQUIRED]: needed, [PREFERRED]: preferred = [] }: NonNullable<Affinity['nodeAffinity']>,
	path: FieldPath,
): readonly FieldError[] {
	const errors: FieldError[] = [];
	if (needed) errors.push(...validateNodeSelector(needed, path.child(REQUIRED)));
	for (const [index, { weight, preference }] of preferred.entries()) {
		const at = path.child(PREFERRED).index(index);
		errors.push(...validateWeight(weight, at.child('weight')));
		errors.push(...validateNodeTerm(preference, at.child('preference'), false));
	}
	return errors;
}

/** The errors of required terms, of a Pod or of a PersistentVolume (upstream: `ValidateNodeSelector`). */
export function validateNodeSelector(selector: NodeSelector, path: FieldPath): readonly FieldError[] {
	const terms = selector.nodeSelectorTerms;
	const at = path.child('nodeSelectorTerms');
	return [
		...(terms.length === 0 ? [fieldRequired(at, 'must have at least one node selector term')] : []),
		...terms.flatMap((term, index) => validateNodeTerm(term, at.index(index), true)),
	];
}

/** Upstream: `ValidatePreferredSchedulingTerms`. The scheduler sums weights, and scales the sums to a hundred. */
function validateWeight(weight: number, path: FieldPath): readonly FieldError[] {
	return weight > 0 && weight <= 100 ? [] : [fieldInvalid(path, weight, 'must be in the range 1-100')];
}

/** A term without requirements is valid, although it matches no node; upstream accepts it too. */
function validateNodeTerm(term: NodeSelectorTerm, path: FieldPath, strict: boolean): readonly FieldError[] {
	const { matchExpressions = [], matchFields = [] } = term;
	return [
		...matchExpressions.flatMap((each, index) =>
			validateLabelRequirement(each, path.child('matchExpressions').index(index), strict),
		),
		...matchFields.flatMap((each, index) =>
			validateFieldRequirement(each, path.child('matchFields').index(index)),
		),
	];
}

/**
 * Validates a requirement on a label. Only with `strict`, for required terms, values must be valid label
 * values: an invalid one in a preferred term merely never matches, and upstream accepts it with a warning.
 */
function validateLabelRequirement(
	requirement: NodeSelectorRequirement,
	path: FieldPath,
	strict: boolean,
): readonly FieldError[] {
	const { key, values = [] } = requirement;
	const at = path.child('values');
	return [
		...validateOperator(requirement, path, at),
		...malformed(path.child('key'), key, qualifiedName(key)),
		...(strict ? values.flatMap((value, index) => malformed(at.index(index), value, labelValue(value))) : []),
	];
}

/** The number of values must fit the operator. Upstream reports an unknown operator as an invalid value. */
function validateOperator(
	{ operator, values = [] }: NodeSelectorRequirement,
	path: FieldPath,
	at: FieldPath,
): readonly FieldError[] {
	switch (operator) {
		case 'In':
		case 'NotIn':
			if (values.length > 0) return [];
			return [fieldRequired(at, "must be specified when `operator` is 'In' or 'NotIn'")];
		case 'Exists':
		case 'DoesNotExist':
			if (values.length === 0) return [];
			return [fieldForbidden(at, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")];
		case 'Gt':
		case 'Lt':
			if (values.length === 1) return [];
			return [fieldRequired(at, "must be specified single value when `operator` is 'Lt' or 'Gt'")];
		default:
			return [fieldInvalid(path.child('operator'), operator, 'not a valid selector operator')];
	}
}

/**
 * Validates a requirement on a field. Only metadata.name is supported, which identifies a single node:
 * DaemonSets use it to bind each Pod to its node.
 */
function validateFieldRequirement(
	requirement: NodeSelectorRequirement,
	path: FieldPath,
): readonly FieldError[] {
	const { key, operator, values = [] } = requirement;
	const errors: FieldError[] = [];
	if (operator !== 'In' && operator !== 'NotIn') {
		errors.push(fieldInvalid(path.child('operator'), operator, 'not a valid selector operator'));
	} else if (values.length !== 1) {
		const detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
		errors.push(fieldRequired(path.child('values'), detail));
	}
	if (key !== 'metadata.name') {
		return [...errors, fieldInvalid(path.child('key'), key, 'not a valid field selector key')];
	}
	for (const [index, value] of values.entries()) {
		errors.push(...malformed(path.child('values').index(index), value, dns1123Subdomain(value)));
	}
	return errors;
}

/** A Pod affinity term needs a topologyKey, which defines its domains. */
function validatePodTerm(term: PodAffinityTerm, path: FieldPath): readonly FieldError[] {
	const { topologyKey, labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] } = term;
	return [
		...validateLabelSelector(labelSelector, path.child('labelSelector')),
		...validateLabelSelector(term.namespaceSelector, path.child('namespaceSelector')),
		...(term.namespaces ?? []).flatMap((name) =>
			// Upstream reports at `namespace`, though the field is `namespaces`, and without an index.
			malformed(path.child('namespace'), name, dns1123Label(name)),
		),
		...validateMatchKeys({ matchLabelKeys, mismatchLabelKeys, labelSelector }, path),
		...(topologyKey === '' ? [fieldRequired(path.child('topologyKey'), 'can not be empty')] : []),
		...malformed(path.child('topologyKey'), topologyKey, qualifiedName(topologyKey)),
	];
}

/** The keys whose values a Pod takes from its own labels, and the selector that they are merged into. */
interface MatchKeys {
	readonly matchLabelKeys: readonly string[];
	readonly mismatchLabelKeys: readonly string[];
	readonly labelSelector: LabelSelector | undefined;
}

/**
 * Validates matchLabelKeys and mismatchLabelKeys. Before validation the strategy has added them to the
 * selector's expressions, so that a single expression with such a key is no conflict, but a further one is.
 */
function validateMatchKeys(keys: MatchKeys, path: FieldPath): readonly FieldError[] {
	const { matchLabelKeys, mismatchLabelKeys, labelSelector } = keys;
	const errors = [
		...validateLabelKeys(matchLabelKeys, labelSelector, path.child('matchLabelKeys')),
		...validateLabelKeys(mismatchLabelKeys, labelSelector, path.child('mismatchLabelKeys')),
	];
	const selected = new Set(Object.keys(labelSelector?.matchLabels ?? {}));
	// Upstream reports a key that occurs twice at its last index.
	const places = new Map(matchLabelKeys.map((key, index) => [key, index]));
	for (const { key } of labelSelector?.matchExpressions ?? []) {
		const index = places.get(key);
		if (index !== undefined && selected.has(key)) {
			// Upstream reports at an index of the constraint or term itself, not at that of matchLabelKeys.
			errors.push(fieldInvalid(path.index(index), key, 'exists in both matchLabelKeys and labelSelector'));
		}
		selected.add(key);
	}
	const mismatched = new Set(mismatchLabelKeys);
	for (const [index, key] of matchLabelKeys.entries()) {
		if (!mismatched.has(key)) continue;
		const at = path.child('matchLabelKeys').index(index);
		errors.push(fieldInvalid(at, key, 'exists in both matchLabelKeys and mismatchLabelKeys'));
	}
	return errors;
}

/** Keys without a selector are refused: they could only narrow a term that matches no Pod anyway. */
function validateLabelKeys(
	keys: readonly string[],
	selector: LabelSelector | undefined,
	path: FieldPath,
): readonly FieldError[] {
	if (keys.length === 0) return [];
	if (!selector) return [fieldForbidden(path, 'must not be specified when labelSelector is not set')];
	return keys.flatMap((key, index) => malformed(path.index(index), key, qualifiedName(key)));
}

/**
 * Validates topology spread constraints; of two with equal key and action, the earlier one is the duplicate.
 */
export function validateSpread(
	constraints: readonly TopologySpreadConstraint[],
	path: FieldPath,
): readonly FieldError[] {
	const idOf = ({ topologyKey, whenUnsatisfiable }: TopologySpreadConstraint): string =>
		`${whenUnsatisfiable} ${topologyKey}`;
	const last = new Map(constraints.map((constraint, index) => [idOf(constraint), index]));
	return constraints.flatMap((constraint, index) => {
		const { maxSkew, topologyKey, minDomains, labelSelector, matchLabelKeys = [] } = constraint;
		const action: string = constraint.whenUnsatisfiable;
		const at = path.index(index);
		const errors: FieldError[] = [];
		if (maxSkew <= 0) errors.push(fieldInvalid(at.child('maxSkew'), maxSkew, 'must be greater than zero'));
		if (topologyKey === '') errors.push(fieldRequired(at.child('topologyKey'), 'can not be empty'));
		if (!SPREAD_ACTIONS.includes(action)) {
			errors.push(notSupported(at.child('whenUnsatisfiable'), action, SPREAD_ACTIONS));
		}
		if (last.get(idOf(constraint)) !== index) {
			// Upstream's path: it names both parts of the key.
			errors.push(duplicate(at.child('{topologyKey, whenUnsatisfiable}'), `{${topologyKey}, ${action}}`));
		}
		errors.push(...validateMinDomains(minDomains, action, at.child('minDomains')));
		for (const field of ['nodeAffinityPolicy', 'nodeTaintsPolicy'] as const) {
			const policy: string | undefined = constraint[field];
			if (policy === undefined || SPREAD_POLICIES.includes(policy)) continue;
			errors.push(notSupported(at.child(field), policy, SPREAD_POLICIES));
		}
		return [
			...errors,
			...validateMatchKeys({ matchLabelKeys, mismatchLabelKeys: [], labelSelector }, at),
			...validateLabelSelector(labelSelector, at.child('labelSelector')),
		];
	});
}

/** In the order of upstream's sorted sets, which its errors list. */
const SPREAD_ACTIONS = ['DoNotSchedule', 'ScheduleAnyway'];
const SPREAD_POLICIES = ['Honor', 'Ignore'];

/** minDomains requires DoNotSchedule, since it only changes when a node is refused. */
function validateMinDomains(
	minDomains: number | undefined,
	action: string,
	path: FieldPath,
): readonly FieldError[] {
	if (minDomains === undefined) return [];
	const errors: FieldError[] = [];
	if (minDomains <= 0) errors.push(fieldInvalid(path, minDomains, 'must be greater than zero'));
	if (action !== 'DoNotSchedule') {
		const detail = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${action}`;
		errors.push(fieldInvalid(path, minDomains, detail));
	}
	return errors;
}

/** The effects a taint can have. */
export const TAINT_EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

/**
 * Validates tolerations. The operators Lt and Gt are refused: their feature is alpha and off in Kubernetes.
 */
export function validateTolerations(
	tolerations: readonly Toleration[],
	path: FieldPath,
): readonly FieldError[] {
	return tolerations.flatMap((toleration, index) => {
		const at = path.index(index);
		const { key = '', value = '', effect = '', tolerationSeconds } = toleration;
		const operator: string = toleration.operator ?? '';
		const errors: FieldError[] = [];
		if (key !== '') errors.push(...malformed(at.child('key'), key, qualifiedName(key)));
		else if (operator !== 'Exists') {
			const detail =
				'operator must be Exists when `key` is empty, which means "match all values and all keys"';
			errors.push(fieldInvalid(at.child('operator'), operator, detail));
		}
		if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
			const detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
			errors.push(fieldInvalid(at.child('effect'), effect, detail));
		}
		errors.push(...validateTolerationValue(operator, value, at.child('operator')));
		if (effect !== '') errors.push(...chosen(at.child('effect'), effect, TAINT_EFFECTS));
		return errors;
	});
}

/** Upstream reports errors about the value of a toleration at its operator. */
function validateTolerationValue(operator: string, value: string, path: FieldPath): readonly FieldError[] {
	switch (operator) {
		case '':
		case 'Equal': {
			const problems = labelValue(value);
			return problems.length > 0 ? [fieldInvalid(path, value, problems.join(';'))] : [];
		}
		case 'Exists':
			return value === ''
				? []
				: [fieldInvalid(path, value, "value must be empty when `operator` is 'Exists'")];
		case 'Lt':
		case 'Gt':
			return [notSupported(path, operator, ['Equal', 'Exists', 'Lt', 'Gt'])];
		default:
			return [notSupported(path, operator, ['Equal', 'Exists'])];
	}
}
