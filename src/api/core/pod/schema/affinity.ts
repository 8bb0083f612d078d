/**
 * Schemas of the rules by which the scheduler chooses a node for a Pod: affinity, tolerations and spreading.
 */

import { labelSelectorSchema } from '../../../meta/selector.ts';
import {
	atomic,
	type Infer,
	int32,
	int64,
	list,
	nullable,
	object,
	oneOf,
	optional,
	required,
	string,
} from '../../../schema/schema.ts';

/** Schema of v1.NodeSelectorRequirement. */
export const nodeSelectorRequirementSchema = object(
	'io.k8s.api.core.v1.NodeSelectorRequirement',
	'Comparison of a label or field of a Node with values.',
	{
		key: required(string, 'Key of the label, or path of the field.'),
		operator: required(
			oneOf('In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'),
			'In and NotIn compare with a list, Exists and DoesNotExist test for the key, Gt and Lt compare whole numbers.',
		),
		values: optional(
			list(string),
			'Values to compare with: one or more for In and NotIn, none for Exists and DoesNotExist, one whole number for Gt and Lt.',
		),
	},
);

/** Comparison of a label or field of a Node with values. */
export type NodeSelectorRequirement = Infer<typeof nodeSelectorRequirementSchema>;

/** Schema of v1.NodeSelectorTerm. */
export const nodeSelectorTermSchema = atomic(
	object(
		'io.k8s.api.core.v1.NodeSelectorTerm',
		'Set of requirements that a Node matches if it meets all of them. An empty term matches no Node.',
		{
			matchExpressions: optional(
				list(nodeSelectorRequirementSchema),
				'Requirements on the labels of the Node.',
			),
			matchFields: optional(
				list(nodeSelectorRequirementSchema),
				'Requirements on fields of the Node; only metadata.name is supported.',
			),
		},
	),
);

/** Requirements that a Node matches if it meets all of them; an empty term matches no Node. */
export type NodeSelectorTerm = Infer<typeof nodeSelectorTermSchema>;

/** Schema of v1.NodeSelector. */
export const nodeSelectorSchema = atomic(
	object(
		'io.k8s.api.core.v1.NodeSelector',
		'List of terms that a Node matches if it matches at least one of them.',
		{
			nodeSelectorTerms: required(
				list(nodeSelectorTermSchema),
				'Terms of which a Node must match at least one.',
			),
		},
	),
);

/** List of terms that a Node matches if it matches at least one of them. */
export type NodeSelector = Infer<typeof nodeSelectorSchema>;

const preferredSchedulingTermSchema = object(
	'io.k8s.api.core.v1.PreferredSchedulingTerm',
	'Term with a weight: Nodes that match it are preferred.',
	{
		weight: required(int32, 'Weight that a matching Node gains in scoring, 1 to 100.'),
		preference: required(nodeSelectorTermSchema, 'Term that preferred Nodes match.'),
	},
);

const nodeAffinitySchema = object(
	'io.k8s.api.core.v1.NodeAffinity',
	'Rules by which the scheduler chooses a node for the Pod by its labels and fields.',
	{
		requiredDuringSchedulingIgnoredDuringExecution: optional(
			nodeSelectorSchema,
			'Terms that a Node must match for the Pod to be scheduled to it. A running Pod stays if its Node no longer matches.',
		),
		preferredDuringSchedulingIgnoredDuringExecution: optional(
			list(preferredSchedulingTermSchema),
			'Terms that the scheduler prefers: it sums the weights of those that a Node matches.',
		),
	},
);

const podAffinityTermSchema = object(
	'io.k8s.api.core.v1.PodAffinityTerm',
	'Set of Pods, and the topology domain that a Pod shares with them (affinity) or avoids (anti-affinity).',
	{
		labelSelector: optional(labelSelectorSchema, 'Labels of the Pods. If unset, the term matches no Pod.'),
		namespaces: optional(
			list(string),
			"Namespaces of the Pods, in addition to those of namespaceSelector. Default: the Pod's own, unless namespaceSelector is set.",
		),
		topologyKey: required(
			string,
			'Key of the Node label that defines topology domains: Nodes with equal values are in one domain.',
		),
		namespaceSelector: optional(
			labelSelectorSchema,
			'Labels of the namespaces of the Pods. An empty selector matches all namespaces.',
		),
		matchLabelKeys: optional(
			list(string),
			"Keys of the Pod's own labels whose values are added to labelSelector at the creation: the term matches Pods with the same values.",
		),
		mismatchLabelKeys: optional(
			list(string),
			"Keys of the Pod's own labels whose values are added to labelSelector at the creation: the term matches Pods with other values.",
		),
	},
);

/** Selected Pods, and the topology domain that a Pod should share with them or avoid. */
export type PodAffinityTerm = Infer<typeof podAffinityTermSchema>;

const weightedPodAffinityTermSchema = object(
	'io.k8s.api.core.v1.WeightedPodAffinityTerm',
	'Pod affinity term with a weight: Nodes that satisfy it are preferred.',
	{
		weight: required(int32, 'Weight of the term in scoring, 1 to 100.'),
		podAffinityTerm: required(podAffinityTermSchema, 'Pods and topology domain that the weight applies to.'),
	},
);

const podAffinityFields = {
	requiredDuringSchedulingIgnoredDuringExecution: optional(
		list(podAffinityTermSchema),
		'Terms that a Node must satisfy for the Pod to be scheduled to it. A running Pod stays if they no longer hold.',
	),
	preferredDuringSchedulingIgnoredDuringExecution: optional(
		list(weightedPodAffinityTermSchema),
		'Terms that the scheduler prefers: it sums the weights of those that a Node satisfies.',
	),
};

const podAffinitySchema = object(
	'io.k8s.api.core.v1.PodAffinity',
	'Rules to run a Pod in the same topology domain as other Pods.',
	podAffinityFields,
);

const podAntiAffinitySchema = object(
	'io.k8s.api.core.v1.PodAntiAffinity',
	'Rules to keep a Pod out of the topology domains of other Pods.',
	podAffinityFields,
);

/** Schema of v1.Affinity. */
export const affinitySchema = object(
	'io.k8s.api.core.v1.Affinity',
	'Scheduling constraints of a Pod, by Nodes and by other Pods.',
	{
		nodeAffinity: optional(nodeAffinitySchema, 'Nodes that the Pod requires or prefers.'),
		podAffinity: optional(podAffinitySchema, 'Pods whose topology domain the Pod requires or prefers.'),
		podAntiAffinity: optional(podAntiAffinitySchema, 'Pods whose topology domain the Pod avoids.'),
	},
);

/** Scheduling constraints of a Pod, by Nodes and by other Pods. */
export type Affinity = Infer<typeof affinitySchema>;

/** Schema of v1.Toleration. */
export const tolerationSchema = object(
	'io.k8s.api.core.v1.Toleration',
	'Rule that allows a Pod on Nodes with matching taints.',
	{
		key: optional(string, 'Key of the taint. If empty, operator must be Exists, and all taints match.'),
		operator: optional(
			oneOf('Equal', 'Exists', 'Lt', 'Gt'),
			'How value is compared with that of the taint: Equal (the default), or Exists, which matches any value. Lt and Gt are refused: their feature is off.',
		),
		value: optional(string, 'Value to compare with that of the taint. Must be empty with Exists.'),
		effect: optional(
			oneOf('NoSchedule', 'PreferNoSchedule', 'NoExecute'),
			'Effect of the taint. If empty, all effects match.',
		),
		tolerationSeconds: optional(
			int64,
			'Seconds that the Pod stays on a Node after a matching NoExecute taint was added, before it is evicted. Requires effect NoExecute. Default: no limit; with 0 or less it is evicted at once.',
		),
	},
);

/** Rule that allows a Pod on Nodes with matching taints. */
export type Toleration = Infer<typeof tolerationSchema>;

/** Schema of v1.TopologySpreadConstraint. */
export const topologySpreadConstraintSchema = object(
	'io.k8s.api.core.v1.TopologySpreadConstraint',
	'Limit on how unevenly matching Pods are distributed over topology domains.',
	{
		maxSkew: required(
			int32,
			'Maximum difference between the Pods of a domain and the fewest of any domain, at least 1.',
		),
		topologyKey: required(
			string,
			'Key of the Node label that defines topology domains: Nodes with equal values are in one domain.',
		),
		whenUnsatisfiable: required(
			oneOf('DoNotSchedule', 'ScheduleAnyway'),
			'DoNotSchedule keeps the Pod pending if the constraint cannot be satisfied, ScheduleAnyway prefers Nodes with less skew.',
		),
		labelSelector: optional(
			labelSelectorSchema,
			'Labels of the Pods that are counted in each domain. If unset, no Pod matches.',
		),
		minDomains: optional(
			int32,
			'Minimum number of domains. With fewer, the fewest Pods of any domain counts as 0. Default 1; only with DoNotSchedule.',
		),
		nodeAffinityPolicy: nullable(
			oneOf('Honor', 'Ignore'),
			"Whether only Nodes that match the Pod's node affinity and node selector count: Honor (the default) or Ignore.",
		),
		nodeTaintsPolicy: nullable(
			oneOf('Honor', 'Ignore'),
			'Whether Nodes with taints that the Pod does not tolerate are left out: Honor or Ignore (the default).',
		),
		matchLabelKeys: optional(
			list(string),
			"Keys of the Pod's own labels whose values are added to labelSelector at the creation: only Pods with the same values count.",
		),
	},
);

/** Limit on how unevenly matching Pods are distributed over topology domains. */
export type TopologySpreadConstraint = Infer<typeof topologySpreadConstraintSchema>;
