import { int32, list, mapList, nullable, object, optional, required, string } from '../../schema/schema.ts';

/**
 * The schema of a Job's `scheduling`, which belongs to the alpha feature WorkloadWithJob: the API server refuses the
 * field, and decodes it only so that the error names it.
 */

const schedulingPolicySchema = object(
	'io.k8s.api.scheduling.v1alpha3.WorkloadPodGroupSchedulingPolicy',
	'Policy by which a group of Pods is scheduled. Exactly one of basic and gang must be set.',
	{
		basic: optional(
			object(
				'io.k8s.api.scheduling.v1alpha3.WorkloadPodGroupBasicSchedulingPolicy',
				'Policy by which each Pod is scheduled alone.',
				{},
			),
			'Schedules each Pod alone.',
		),
		gang: optional(
			object(
				'io.k8s.api.scheduling.v1alpha3.WorkloadPodGroupGangSchedulingPolicy',
				'Policy by which Pods are scheduled together or not at all.',
				{ minCount: optional(int32, 'Number of Pods that must fit at the same time, at least 1.') },
			),
			'Schedules Pods together or not at all.',
		),
	},
);

const disruptionModeSchema = object(
	'io.k8s.api.scheduling.v1alpha3.WorkloadPodGroupDisruptionMode',
	'How Pods of a group may be disrupted. Exactly one of single and all must be set.',
	{
		single: optional(
			object(
				'io.k8s.api.scheduling.v1alpha3.WorkloadPodGroupSingleDisruptionMode',
				'Each Pod may be disrupted alone.',
				{},
			),
			'Each Pod may be disrupted alone.',
		),
		all: optional(
			object(
				'io.k8s.api.scheduling.v1alpha3.WorkloadPodGroupAllDisruptionMode',
				'All Pods of the group are disrupted together.',
				{},
			),
			'All Pods of the group are disrupted together.',
		),
	},
);

const constraintsSchema = object(
	'io.k8s.api.scheduling.v1alpha3.WorkloadPodGroupSchedulingConstraints',
	'Constraints on the nodes of a group of Pods.',
	{
		topology: optional(
			list(
				object(
					'io.k8s.api.scheduling.v1alpha3.TopologyConstraint',
					'Topology domain in which all Pods of the group must be.',
					{ key: required(string, 'Key of the node label whose values are the domains.') },
				),
			),
			'Topology domain in which all Pods must be. At most one.',
		),
	},
);

const resourceClaimSchema = object(
	'io.k8s.api.scheduling.v1alpha3.WorkloadPodGroupResourceClaim',
	'ResourceClaim that Pods of a group share.',
	{
		name: required(string, 'Name of the claim in the group: a DNS label.'),
		resourceClaimName: nullable(string, 'Name of a ResourceClaim in the namespace.'),
		resourceClaimTemplateName: nullable(string, 'Name of a ResourceClaimTemplate in the namespace.'),
	},
);

/** Schema of batch/v1 JobSchedulingConfiguration. */
export const jobSchedulingSchema = object(
	'io.k8s.api.batch.v1.JobSchedulingConfiguration',
	'How the Pods of a Job are scheduled together.',
	{
		schedulingPolicy: optional(schedulingPolicySchema, 'Whether Pods are scheduled alone or together.'),
		schedulingConstraints: optional(constraintsSchema, 'Constraints on the nodes of the Pods.'),
		disruptionMode: optional(disruptionModeSchema, 'How the Pods may be disrupted.'),
		resourceClaims: optional(
			mapList(resourceClaimSchema, ['name']),
			'ResourceClaims that the Pods share, at most 4.',
		),
	},
);
