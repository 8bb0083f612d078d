import type { ResourceDefinition } from '../../contract/resource-definition.ts';
import { chosen, fieldForbidden, immutable } from '../../errors/field-errors.ts';
import { type FieldError, FieldPath } from '../../errors/field-path.ts';
import { ageColumn, integerColumn, nameColumn } from '../../meta/columns.ts';
import { dns1123Subdomain } from '../../meta/names.ts';
import { validateMeta, validateMetaUpdate } from '../../meta/validate-meta.ts';
import { type PriorityClass, priorityClassSchema } from './schema.ts';

const META = new FieldPath('metadata');
const VALUE = new FieldPath('value');
const POLICY = new FieldPath('preemptionPolicy');
const RULES = { namespaced: false, name: dns1123Subdomain };
const POLICIES = ['PreemptLowerPriority', 'Never'] as const;

/** Prefix of the names that are reserved for {@link SYSTEM_PRIORITY_CLASSES}. */
export const SYSTEM_PREFIX = 'system-';

/** Highest value of a class that users define (upstream: `HighestUserDefinablePriority`). */
const MAX_USER_VALUE = 1_000_000_000;

/** A class that exists in every cluster, with upstream's value and description. */
export interface SystemPriorityClass {
	readonly name: string;
	readonly value: number;
	readonly description: string;
}

/** The classes that exist in every cluster (upstream: `SystemPriorityClasses`). They cannot be deleted. */
export const SYSTEM_PRIORITY_CLASSES: readonly SystemPriorityClass[] = [
	{
		name: 'system-node-critical',
		value: 2_000_001_000,
		description: 'Used for system critical pods that must not be moved from their current node.',
	},
	{
		name: 'system-cluster-critical',
		value: 2_000_000_000,
		description:
			'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
	},
];

/**
 * scheduling.k8s.io/v1 PriorityClasses: registry definition and validation (upstream:
 * pkg/apis/scheduling/validation). Value and preemption policy are immutable, since existing Pods keep the
 * ones that they were created with.
 */
export const priorityClasses: ResourceDefinition<PriorityClass> = {
	group: 'scheduling.k8s.io',
	version: 'v1',
	kind: 'PriorityClass',
	resource: 'priorityclasses',
	singular: 'priorityclass',
	shortNames: ['pc'],
	categories: [],
	namespaced: false,
	schema: priorityClassSchema,
	defaults: (given) =>
		given.preemptionPolicy ? given : { ...given, preemptionPolicy: 'PreemptLowerPriority' },
	strategy: {
		prepareForCreate: (given) => ({ ...given, metadata: { ...given.metadata, generation: 1 } }),
		prepareForUpdate: (given) => given,
		validateCreate: validatePriorityClass,
		validateUpdate: (given, old) => [
			...validateMetaUpdate(given.metadata, old.metadata, META),
			...(given.value === old.value ? [] : [fieldForbidden(VALUE, 'may not be changed in an update.')]),
			...(given.preemptionPolicy === old.preemptionPolicy ? [] : [immutable(POLICY, given.preemptionPolicy)]),
		],
		allowUnconditionalUpdate: true,
	},
	columns: [
		nameColumn(),
		integerColumn('Value', 'Priority of the Pods that name this class.', ({ value }) => value),
		{
			name: 'Global-Default',
			type: 'boolean',
			description: 'Whether this is the class of Pods that name none.',
			priority: 0,
			cell: ({ globalDefault = false }) => globalDefault,
		},
		ageColumn(),
		{
			name: 'PreemptionPolicy',
			type: 'string',
			description: 'Whether Pods of lower priority are deleted to make room.',
			priority: 0,
			cell: ({ preemptionPolicy = '' }) => preemptionPolicy,
		},
	],
	selectableFields: () => ({}),
	deletion: { defaultPropagation: 'Background' },
};

function validatePriorityClass(given: PriorityClass): readonly FieldError[] {
	return [
		...validateMeta(given.metadata, RULES, META),
		...validateValue(given),
		...chosen(POLICY, given.preemptionPolicy, POLICIES),
	];
}

/**
 * Values above the limit are reserved for the system's classes, so that no user's Pod can preempt a system
 * Pod.
 */
function validateValue(given: PriorityClass): readonly FieldError[] {
	const { name = '' } = given.metadata;
	if (name.startsWith(SYSTEM_PREFIX)) {
		const reason = whyNotSystemClass(given);
		if (reason === undefined) return [];
		const text = `priority class names with '${SYSTEM_PREFIX}' prefix are reserved for system use only. error: ${reason}`;
		return [fieldForbidden(META.child('name'), text)];
	}
	if (given.value <= MAX_USER_VALUE) return [];
	return [fieldForbidden(VALUE, `maximum allowed value of a user defined priority is ${MAX_USER_VALUE}`)];
}

/**
 * Why a class with a reserved name is not one of the system's; undefined if it is
 * (`IsKnownSystemPriorityClass`).
 */
function whyNotSystemClass({ metadata: { name }, value, globalDefault }: PriorityClass): string | undefined {
	const known = SYSTEM_PRIORITY_CLASSES.find((each) => each.name === name);
	if (!known) return `${name} is not a known system priority class`;
	if (value !== known.value) return `value of ${name} PriorityClass must be ${known.value}`;
	return globalDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}
