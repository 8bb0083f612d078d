import { objectMetaSchema } from '../../meta/object-meta.ts';
import { always, type Infer, object, required, string } from '../../meta/schema.ts';
import { podSpecSchema } from './spec-schema.ts';
import { podStatusSchema } from './status-schema.ts';

export type {
	Affinity,
	NodeSelectorRequirement,
	NodeSelectorTerm,
	PodAffinityTerm,
	Toleration,
	TopologySpreadConstraint,
} from './affinity-schema.ts';
export type {
	Container,
	ContainerPort,
	EnvFromSource,
	EnvVar,
	EnvVarSource,
	EphemeralContainer,
	ResourceRequirements,
	VolumeDevice,
	VolumeMount,
} from './container-schema.ts';
export type { Lifecycle, LifecycleHandler, Probe } from './probe-schema.ts';
export type { PodSecurityContext, SecurityContext } from './security-schema.ts';
export type { PodSpec } from './spec-schema.ts';
export type { ContainerState, ContainerStatus, PodCondition, PodStatus } from './status-schema.ts';
export type { Volume } from './volume-schema.ts';

/** Schema of v1.Pod. */
export const podSchema = object(
	'io.k8s.api.core.v1.Pod',
	'A group of containers that run together on one node.',
	{
		apiVersion: required(string, 'Version of the API: v1.'),
		kind: required(string, 'Kind of the object: Pod.'),
		metadata: required(objectMetaSchema, 'Names, labels, owners.'),
		spec: required(podSpecSchema, 'What it runs.'),
		status: required(podStatusSchema, 'How it is doing.'),
	},
);

/** A group of containers that run together on one node. */
export type Pod = Infer<typeof podSchema>;

/** Schema of v1.PodTemplateSpec. */
export const podTemplateSpecSchema = object(
	'io.k8s.api.core.v1.PodTemplateSpec',
	'What Pods are made from.',
	{
		metadata: always(objectMetaSchema, 'Labels and annotations of the Pods.'),
		spec: required(podSpecSchema, 'What they run.'),
	},
);

/** What Pods are made from. */
export type PodTemplateSpec = Infer<typeof podTemplateSpecSchema>;
