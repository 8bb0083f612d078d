import {
	type Infer,
	int32,
	int64,
	list,
	object,
	oneOf,
	optional,
	pointer,
	required,
	string,
} from '../../meta/schema.ts';
import { labelSelectorSchema } from '../../meta/selector.ts';

/** Schema of v1.NodeSelectorRequirement. */
export const nodeSelectorRequirementSchema = object(
	'io.k8s.api.core.v1.NodeSelectorRequirement',
	'Compares a label or field of a node with values.',
	{
		key: required(string, 'The label or field.'),
		operator: required(oneOf('In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'), 'How it is compared.'),
		values: optional(list(string), 'What it is compared with.'),
	},
);

/** Compares a label or field of a node with values. */
export type NodeSelectorRequirement = Infer<typeof nodeSelectorRequirementSchema>;

/** Schema of v1.NodeSelectorTerm. */
export const nodeSelectorTermSchema = object(
	'io.k8s.api.core.v1.NodeSelectorTerm',
	'Holds for a node when all of its requirements do.',
	{
		matchExpressions: optional(list(nodeSelectorRequirementSchema), 'Requirements on labels.'),
		matchFields: optional(list(nodeSelectorRequirementSchema), 'Requirements on fields.'),
	},
	{ atomic: true },
);

/** Holds for a node when all of its requirements do. */
export type NodeSelectorTerm = Infer<typeof nodeSelectorTermSchema>;

/** Schema of v1.NodeSelector. */
export const nodeSelectorSchema = object(
	'io.k8s.api.core.v1.NodeSelector',
	'Holds for a node when any of its terms does.',
	{ nodeSelectorTerms: required(list(nodeSelectorTermSchema), 'The terms.') },
	{ atomic: true },
);

const preferredSchedulingTermSchema = object(
	'io.k8s.api.core.v1.PreferredSchedulingTerm',
	'Makes nodes that match a term more welcome.',
	{
		weight: required(int32, 'How much, from 1 to 100.'),
		preference: required(nodeSelectorTermSchema, 'The term.'),
	},
);

const nodeAffinitySchema = object(
	'io.k8s.api.core.v1.NodeAffinity',
	'Which nodes a Pod may or should run on.',
	{
		requiredDuringSchedulingIgnoredDuringExecution: optional(nodeSelectorSchema, 'What a node must match.'),
		preferredDuringSchedulingIgnoredDuringExecution: optional(
			list(preferredSchedulingTermSchema),
			'What a node should match.',
		),
	},
);

const podAffinityTermSchema = object(
	'io.k8s.api.core.v1.PodAffinityTerm',
	'A set of Pods near which, or away from which, a Pod should run.',
	{
		labelSelector: optional(labelSelectorSchema, 'The labels of the Pods.'),
		namespaces: optional(list(string), 'The namespaces of the Pods.'),
		topologyKey: required(string, 'The node label that says what near means.'),
		namespaceSelector: optional(labelSelectorSchema, 'Selects namespaces of the Pods.'),
		matchLabelKeys: optional(list(string), 'Labels whose values are taken from the Pod itself.'),
		mismatchLabelKeys: optional(list(string), 'Labels whose values must differ from the Pod itself.'),
	},
);

/** A set of Pods near which, or away from which, a Pod should run. */
export type PodAffinityTerm = Infer<typeof podAffinityTermSchema>;

const weightedPodAffinityTermSchema = object(
	'io.k8s.api.core.v1.WeightedPodAffinityTerm',
	'A Pod affinity term with a weight.',
	{
		weight: required(int32, 'How much it counts, from 1 to 100.'),
		podAffinityTerm: required(podAffinityTermSchema, 'The term.'),
	},
);

const podAffinityFields = {
	requiredDuringSchedulingIgnoredDuringExecution: optional(
		list(podAffinityTermSchema),
		'Terms that must hold.',
	),
	preferredDuringSchedulingIgnoredDuringExecution: optional(
		list(weightedPodAffinityTermSchema),
		'Terms that should hold.',
	),
};

const podAffinitySchema = object(
	'io.k8s.api.core.v1.PodAffinity',
	'Pods near which a Pod should run.',
	podAffinityFields,
);

const podAntiAffinitySchema = object(
	'io.k8s.api.core.v1.PodAntiAffinity',
	'Pods away from which a Pod should run.',
	podAffinityFields,
);

/** Schema of v1.Affinity. */
export const affinitySchema = object('io.k8s.api.core.v1.Affinity', 'Where a Pod may or should run.', {
	nodeAffinity: optional(nodeAffinitySchema, 'By nodes.'),
	podAffinity: optional(podAffinitySchema, 'Near Pods.'),
	podAntiAffinity: optional(podAntiAffinitySchema, 'Away from Pods.'),
});

/** Where a Pod may or should run. */
export type Affinity = Infer<typeof affinitySchema>;

/** Schema of v1.Toleration. */
export const tolerationSchema = object(
	'io.k8s.api.core.v1.Toleration',
	'Lets a Pod onto nodes with a matching taint.',
	{
		key: optional(string, 'The key of the taint; empty for any.'),
		operator: optional(oneOf('Equal', 'Exists', 'Lt', 'Gt'), 'How the value is compared.'),
		value: optional(string, 'The value of the taint.'),
		effect: optional(
			oneOf('NoSchedule', 'PreferNoSchedule', 'NoExecute'),
			'The effect of the taint; empty for any.',
		),
		tolerationSeconds: optional(int64, 'How long a NoExecute taint is borne.'),
	},
);

/** Lets a Pod onto nodes with a matching taint. */
export type Toleration = Infer<typeof tolerationSchema>;

/** Schema of v1.TopologySpreadConstraint. */
export const topologySpreadConstraintSchema = object(
	'io.k8s.api.core.v1.TopologySpreadConstraint',
	'How evenly matching Pods are to be spread over parts of the cluster.',
	{
		maxSkew: required(int32, 'How uneven it may be.'),
		topologyKey: required(string, 'The node label that names the parts.'),
		whenUnsatisfiable: required(oneOf('DoNotSchedule', 'ScheduleAnyway'), 'What to do where that cannot be.'),
		labelSelector: optional(labelSelectorSchema, 'Which Pods are counted.'),
		minDomains: optional(int32, 'How many parts there must be.'),
		nodeAffinityPolicy: pointer(oneOf('Honor', 'Ignore'), 'Whether node affinity limits the parts.'),
		nodeTaintsPolicy: pointer(oneOf('Honor', 'Ignore'), 'Whether taints limit the parts.'),
		matchLabelKeys: optional(list(string), 'Labels whose values are taken from the Pod itself.'),
	},
);

/** How evenly matching Pods are to be spread over parts of the cluster. */
export type TopologySpreadConstraint = Infer<typeof topologySpreadConstraintSchema>;
