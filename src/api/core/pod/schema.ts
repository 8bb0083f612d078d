/**
 * The v1.Pod API type: schema, defaults, validation, create and update strategy, warnings and printer
 * columns. The boundary: this folder defines what a Pod may contain, not how it is run. What the scheduler
 * and the node agent do with each field, and which fields the runtime does not support, is in
 * `src/plan/pod/fields`.
 *
 * Read in this order: this file and the `*-schema.ts` files (one for each part of a Pod), `defaults.ts`,
 * `validation.ts` and the `*-validation.ts` files that it calls, `strategy.ts`, `definition.ts`.
 *
 * 1. Descriptions of fields are user documentation (`kubectl explain`). They give the meaning in Kubernetes.
 * 2. Messages of validation errors and warnings are upstream's, letter for letter, unless a comment says
 *    otherwise: clients and their tests compare them.
 * 3. Everything here is pure. Defaulting returns the object that it was given if there is nothing to fill in,
 *    since it runs on every read and write.
 */

import { objectMetaSchema } from '../../meta/object-meta.ts';
import { always, type Infer, object, required, string } from '../../schema/schema.ts';
import { podSpecSchema } from './schema/spec.ts';
import { podStatusSchema } from './schema/status.ts';

export type {
	Affinity,
	NodeSelectorRequirement,
	NodeSelectorTerm,
	PodAffinityTerm,
	Toleration,
	TopologySpreadConstraint,
} from './schema/affinity.ts';
export type {
	Container,
	ContainerPort,
	EphemeralContainer,
	ResourceRequirements,
	VolumeDevice,
	VolumeMount,
} from './schema/container.ts';
export type { EnvFromSource, EnvVar, EnvVarSource } from './schema/environment.ts';
export type { ContainerLifecycle, LifecycleHandler, Probe } from './schema/probe.ts';
export type { PodSecurityContext, SecurityContext } from './schema/security.ts';
export type { PodSpec } from './schema/spec.ts';
export type { ContainerState, ContainerStatus, PodCondition, PodStatus } from './schema/status.ts';
export type { Volume } from './schema/volume.ts';

/** Schema of v1.Pod. */
export const podSchema = object(
	'io.k8s.api.core.v1.Pod',
	'Group of containers that are scheduled together and run on one node.',
	{
		apiVersion: required(string, 'Version of the API: v1.'),
		kind: required(string, 'Kind of the object: Pod.'),
		metadata: required(
			objectMetaSchema,
			'Standard object metadata: name, namespace, labels, annotations, owner references.',
		),
		spec: required(
			podSpecSchema,
			'Desired state of the Pod. Most of it cannot be changed after the creation.',
		),
		status: required(
			podStatusSchema,
			'Observed state of the Pod, written by the scheduler and the node agent. Read-only for users.',
		),
	},
);

/** Group of containers that are scheduled together and run on one node. */
export type Pod = Infer<typeof podSchema>;

/** Schema of v1.PodTemplateSpec. */
export const podTemplateSpecSchema = object(
	'io.k8s.api.core.v1.PodTemplateSpec',
	'Template from which a controller creates Pods.',
	{
		metadata: always(objectMetaSchema, 'Labels and annotations of the created Pods.'),
		spec: required(podSpecSchema, 'Specification of the created Pods.'),
	},
);

/** Template from which a controller creates Pods. */
export type PodTemplateSpec = Infer<typeof podTemplateSpecSchema>;
