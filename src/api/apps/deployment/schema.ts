/** The schema of apps/v1 Deployment; field kinds follow upstream's k8s.io/api/apps/v1, see schema/schema.ts. */

import { podTemplateSpecSchema } from '../../core/pod/schema.ts';
import { objectMetaSchema } from '../../meta/object-meta.ts';
import { labelSelectorSchema } from '../../meta/selector.ts';
import {
	always,
	boolean,
	type Infer,
	int32,
	int64,
	intOrString,
	mapList,
	nullable,
	object,
	omitZero,
	oneOf,
	optional,
	required,
	string,
	timeOrNull,
} from '../../schema/schema.ts';

const rollingUpdateSchema = object(
	'io.k8s.api.apps.v1.RollingUpdateDeployment',
	'Limits of a rolling update. They must not both be 0.',
	{
		maxUnavailable: nullable(
			intOrString,
			'Number or percentage of the desired Pods that may be unavailable during the update; percentages are rounded down. Default 25%.',
		),
		maxSurge: nullable(
			intOrString,
			'Number or percentage of Pods above the desired number that may exist during the update; percentages are rounded up. Default 25%.',
		),
	},
);

/** Limits of a rolling update. */
export type RollingUpdate = Infer<typeof rollingUpdateSchema>;

const strategySchema = {
	...object('io.k8s.api.apps.v1.DeploymentStrategy', 'How Pods of an older template are replaced.', {
		type: optional(
			oneOf('Recreate', 'RollingUpdate'),
			'RollingUpdate: new Pods are created and old ones deleted step by step. Recreate: all old Pods end before new ones are created. Default RollingUpdate.',
		),
		rollingUpdate: nullable(rollingUpdateSchema, 'Limits of the update. Only for type RollingUpdate.'),
	}),
	retainKeys: true,
};

const specSchema = object(
	'io.k8s.api.apps.v1.DeploymentSpec',
	'Desired state of a Deployment: its Pod template, and how changes of it are rolled out.',
	{
		replicas: optional(int32, 'Number of Pods that the Deployment keeps. Default 1.'),
		selector: nullable(
			labelSelectorSchema,
			'Label selector for the Pods of the Deployment. Required, must match the labels of the template. Immutable.',
		),
		template: required(
			podTemplateSpecSchema,
			'Template of the Pods. restartPolicy must be Always. A change starts a rollout.',
		),
		strategy: always(strategySchema, 'How Pods of an older template are replaced.'),
		minReadySeconds: omitZero(
			int32,
			'Seconds for which a Pod must be ready without interruption before it counts as available. Default 0.',
		),
		revisionHistoryLimit: optional(
			int32,
			'Number of ReplicaSets of older templates that are kept, for rollbacks. Default 10.',
		),
		paused: omitZero(
			boolean,
			'If true, changes of the template are not rolled out until it is set to false.',
		),
		progressDeadlineSeconds: optional(
			int32,
			'Seconds without progress after which the condition Progressing becomes False with reason ProgressDeadlineExceeded. The rollout continues. Default 600; must be greater than minReadySeconds.',
		),
	},
);

const conditionSchema = object(
	'io.k8s.api.apps.v1.DeploymentCondition',
	'One observation of the state of a Deployment.',
	{
		type: required(string, 'Type of the condition: Available, Progressing or ReplicaFailure.'),
		status: required(string, 'Whether the condition holds: True, False or Unknown.'),
		lastUpdateTime: always(timeOrNull, 'Time at which the condition was last updated.'),
		lastTransitionTime: always(timeOrNull, 'Time at which the status of the condition last changed.'),
		reason: optional(string, 'Reason for the last change, as one word in CamelCase.'),
		message: optional(string, 'Details of the last change, for humans.'),
	},
);

/** One observation of the state of a Deployment. */
export type DeploymentCondition = Infer<typeof conditionSchema>;

const statusSchema = object(
	'io.k8s.api.apps.v1.DeploymentStatus',
	'Observed state of a Deployment, written by its controller.',
	{
		observedGeneration: omitZero(int64, 'Generation of the Deployment for which the status was computed.'),
		replicas: omitZero(int32, 'Number of Pods of all templates that are not being deleted.'),
		updatedReplicas: omitZero(int32, 'Number of these Pods that have the current template.'),
		readyReplicas: omitZero(int32, 'Number of these Pods with condition Ready.'),
		availableReplicas: omitZero(int32, 'Number of these Pods that have been ready for minReadySeconds.'),
		unavailableReplicas: omitZero(int32, 'Number of Pods that are missing or not available yet.'),
		terminatingReplicas: optional(int32, 'Number of Pods that are being deleted and have not ended yet.'),
		conditions: optional(
			mapList(conditionSchema, ['type']),
			'Latest observations: Available, Progressing and ReplicaFailure.',
		),
		collisionCount: optional(
			int32,
			'Number of times that the name of a new ReplicaSet was taken by another one; the next name depends on it.',
		),
	},
);

/** Observed state of a Deployment. */
export type DeploymentStatus = Infer<typeof statusSchema>;

/** Schema of apps/v1 Deployment. */
export const deploymentSchema = object(
	'io.k8s.api.apps.v1.Deployment',
	'Keeps a number of Pods running and replaces them step by step when their template changes.',
	{
		apiVersion: required(string, 'Version of the API: apps/v1.'),
		kind: required(string, 'Kind of the object: Deployment.'),
		metadata: required(objectMetaSchema, 'Standard object metadata: name, labels, annotations and owners.'),
		spec: required(specSchema, 'Desired state of the Deployment.'),
		status: required(statusSchema, 'Observed state of the Deployment, written by its controller.'),
	},
);

/** Keeps a number of Pods running and replaces them step by step when their template changes. */
export type Deployment = Infer<typeof deploymentSchema>;
