import {
	type Infer,
	int64,
	object,
	omitZero,
	oneOf,
	required,
	string,
	timeOrNull,
} from '../schema/schema.ts';

/** The fields that the conditions of all kinds have in common. */
export interface Condition {
	readonly type: string;
	readonly status: string;
	readonly lastTransitionTime?: string | null;
}

/** The first condition of this type; undefined if the list has none. */
export function findCondition<C extends Pick<Condition, 'type'>>(
	conditions: readonly C[] | undefined,
	type: C['type'],
): C | undefined {
	return conditions?.find((condition) => condition.type === type);
}

/**
 * Whether a condition of this type has the status True. Clients may write a type twice; one that is True
 * then suffices.
 */
export function isConditionTrue<C extends Pick<Condition, 'type' | 'status'>>(
	conditions: readonly C[] | undefined,
	type: C['type'],
): boolean {
	return conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false;
}

/**
 * The list with this condition in the place of the first one of its type, or at the end (upstream:
 * SetStatusCondition in apimachinery's pkg/api/meta). Its `lastTransitionTime` counts only if the status is
 * another one: see {@link sinceTransition}.
 */
export function withCondition<C extends Condition>(
	conditions: readonly C[] | undefined,
	condition: C,
): readonly C[] {
	const old = findCondition(conditions, condition.type);
	const next = sinceTransition(condition, old);
	if (!conditions || !old) return [...(conditions ?? []), next];
	return conditions.map((other) => (other === old ? next : other));
}

/**
 * The condition with the `lastTransitionTime` of `old`, its earlier version, if both have the same status and
 * `old` has a time: the time changes only with the status.
 */
export function sinceTransition<C extends Condition>(condition: C, old: Condition | undefined): C {
	if (old?.status !== condition.status || !old.lastTransitionTime) return condition;
	return { ...condition, lastTransitionTime: old.lastTransitionTime };
}

/** Schema of metav1.Condition, the form of conditions in newer kinds. */
export const conditionSchema = object(
	'io.k8s.apimachinery.pkg.apis.meta.v1.Condition',
	"Latest observation of one aspect of an object's state.",
	{
		type: required(string, 'Type of the condition, in CamelCase.'),
		status: required(
			oneOf('True', 'False', 'Unknown'),
			'Whether the condition holds: True, False or Unknown.',
		),
		observedGeneration: omitZero(int64, 'Generation of the object for which the condition was set.'),
		lastTransitionTime: required(timeOrNull, 'Time at which the status of the condition last changed.'),
		reason: required(string, 'Reason for the last change, in CamelCase.'),
		message: required(string, 'Details of the last change, for humans.'),
	},
);

/** Latest observation of one aspect of an object's state. */
export type MetaCondition = Infer<typeof conditionSchema>;
