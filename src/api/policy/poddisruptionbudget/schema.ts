import { conditionSchema } from '../../meta/conditions.ts';
import { objectMetaSchema } from '../../meta/object-meta.ts';
import { labelSelectorSchema } from '../../meta/selector.ts';
import {
	type Infer,
	int32,
	int64,
	intOrString,
	map,
	mapList,
	nullable,
	object,
	omitZero,
	oneOf,
	optional,
	required,
	string,
	time,
} from '../../schema/schema.ts';

const specSchema = object(
	'io.k8s.api.policy.v1.PodDisruptionBudgetSpec',
	'Number of Pods that must stay available when others are evicted.',
	{
		minAvailable: nullable(
			intOrString,
			'Number or percentage of the selected Pods that must be available after an eviction. Excludes maxUnavailable.',
		),
		selector: optional(
			labelSelectorSchema,
			'Labels of the Pods that the budget covers. Absent: no Pod; empty: all Pods of the namespace.',
		),
		maxUnavailable: nullable(
			intOrString,
			'Number or percentage of the selected Pods that may be unavailable after an eviction. Excludes minAvailable.',
		),
		unhealthyPodEvictionPolicy: nullable(
			oneOf('IfHealthyBudget', 'AlwaysAllow'),
			'When running Pods that are not ready may be evicted: IfHealthyBudget (the default): only if enough Pods are available; AlwaysAllow: always.',
		),
	},
);

const statusSchema = object(
	'io.k8s.api.policy.v1.PodDisruptionBudgetStatus',
	'Observed state of a PodDisruptionBudget. The disruption controller writes it.',
	{
		observedGeneration: omitZero(int64, 'Generation of the budget for which the status was computed.'),
		disruptedPods: optional(
			map(time),
			'Pods whose eviction was granted and whose deletion was not observed yet, with the time of the eviction.',
		),
		disruptionsAllowed: required(int32, 'Number of Pods that may be evicted now.'),
		currentHealthy: required(int32, 'Number of selected Pods that are available.'),
		desiredHealthy: required(int32, 'Number of selected Pods that must be available.'),
		expectedPods: required(int32, 'Number of Pods that the budget covers.'),
		conditions: optional(
			mapList(conditionSchema, ['type']),
			'Conditions of the budget: DisruptionAllowed, with the reason SufficientPods, InsufficientPods or SyncFailed.',
		),
	},
);

/** Schema of policy/v1 PodDisruptionBudget. */
export const podDisruptionBudgetSchema = object(
	'io.k8s.api.policy.v1.PodDisruptionBudget',
	'Limit on the number of Pods that evictions may make unavailable at the same time.',
	{
		apiVersion: required(string, 'Version of the API: policy/v1.'),
		kind: required(string, 'Kind of the object: PodDisruptionBudget.'),
		metadata: required(objectMetaSchema, 'Standard object metadata: name, namespace, labels, annotations.'),
		spec: required(specSchema, 'Number of Pods that must stay available.'),
		status: required(statusSchema, 'Observed state of the budget.'),
	},
);

/** Limit on the number of Pods that evictions may make unavailable at the same time. */
export type PodDisruptionBudget = Infer<typeof podDisruptionBudgetSchema>;
