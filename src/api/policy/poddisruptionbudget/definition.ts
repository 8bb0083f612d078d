import type { ResourceDefinition } from '../../contract/resource-definition.ts';
import { fieldInvalid, nonNegative, notSupported } from '../../errors/field-errors.ts';
import { type FieldError, FieldPath, SPEC } from '../../errors/field-path.ts';
import { ageColumn, integerColumn, nameColumn, textColumn } from '../../meta/columns.ts';
import { generationAfter } from '../../meta/generation.ts';
import { dns1123Subdomain } from '../../meta/names.ts';
import { validateLabelSelector } from '../../meta/selector.ts';
import { validateMeta, validateMetaUpdate } from '../../meta/validate-meta.ts';
import { semanticEqual } from '../../schema/equality.ts';
import { validateAtMostAll, validateIntOrPercent } from '../../schema/int-or-percent.ts';
import { type PodDisruptionBudget, podDisruptionBudgetSchema } from './schema.ts';

const META = new FieldPath('metadata');
const STATUS = new FieldPath('status');
const RULES = { namespaced: true, name: dns1123Subdomain };
const NOTHING_KNOWN = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };
const POLICIES = ['AlwaysAllow', 'IfHealthyBudget'];
const COUNTS = ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const;

/**
 * policy/v1 PodDisruptionBudgets: registry definition, validation and printer columns. Upstream:
 * pkg/registry/policy/poddisruptionbudget/strategy.go and pkg/apis/policy/validation.
 */
export const podDisruptionBudgets: ResourceDefinition<PodDisruptionBudget> = {
	group: 'policy',
	version: 'v1',
	kind: 'PodDisruptionBudget',
	resource: 'poddisruptionbudgets',
	singular: 'poddisruptionbudget',
	shortNames: ['pdb'],
	categories: [],
	namespaced: true,
	schema: podDisruptionBudgetSchema,
	defaults: (budget) => budget,
	strategy: {
		prepareForCreate: (budget) => ({
			...budget,
			metadata: { ...budget.metadata, generation: 1 },
			status: NOTHING_KNOWN,
		}),
		prepareForUpdate: (budget, old) => {
			const generation = generationAfter(old.metadata, !semanticEqual(budget.spec, old.spec));
			return { ...budget, metadata: { ...budget.metadata, generation }, status: old.status };
		},
		validateCreate: (budget) => [...validateMeta(budget.metadata, RULES, META), ...validateSpec(budget.spec)],
		validateUpdate: (budget, old) => [
			...validateMetaUpdate(budget.metadata, old.metadata, META),
			...validateSpec(budget.spec),
		],
		allowUnconditionalUpdate: false,
	},
	status: {
		prepareForUpdate: (budget, old) => ({ ...budget, spec: old.spec }),
		validateUpdate: (budget, old) => [
			...validateMetaUpdate(budget.metadata, old.metadata, META),
			...COUNTS.flatMap((field) => nonNegative(STATUS.child(field), budget.status[field])),
		],
	},
	columns: [
		nameColumn(),
		textColumn('Min Available', 'Number of Pods that must be available.', ({ spec }) =>
			String(spec.minAvailable ?? 'N/A'),
		),
		textColumn('Max Unavailable', 'Number of Pods that may be unavailable.', ({ spec }) =>
			String(spec.maxUnavailable ?? 'N/A'),
		),
		integerColumn(
			'Allowed Disruptions',
			'Number of Pods that may be evicted now.',
			({ status }) => status.disruptionsAllowed,
		),
		ageColumn(),
	],
	selectableFields: () => ({}),
	deletion: { defaultPropagation: 'Background' },
};

function validateSpec(spec: PodDisruptionBudget['spec']): readonly FieldError[] {
	const { minAvailable, maxUnavailable, unhealthyPodEvictionPolicy } = spec;
	const errors: FieldError[] = [];
	if (minAvailable !== undefined && maxUnavailable !== undefined) {
		errors.push(fieldInvalid(SPEC, spec, 'minAvailable and maxUnavailable cannot be both set'));
	}
	errors.push(
		...validateAmount(minAvailable, SPEC.child('minAvailable')),
		...validateAmount(maxUnavailable, SPEC.child('maxUnavailable')),
		...validateLabelSelector(spec.selector, SPEC.child('selector')),
	);
	const policy: string | undefined = unhealthyPodEvictionPolicy;
	if (policy === undefined || POLICIES.includes(policy)) return errors;
	return [...errors, notSupported(SPEC.child('unhealthyPodEvictionPolicy'), policy, POLICIES)];
}

/** An amount is a whole number that is not negative, or a percentage of at most 100. */
function validateAmount(amount: number | string | undefined, path: FieldPath): readonly FieldError[] {
	if (amount === undefined) return [];
	return [...validateIntOrPercent(amount, path), ...validateAtMostAll(amount, path)];
}
