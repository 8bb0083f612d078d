/** The schema of apps/v1 ReplicaSet; field kinds follow upstream's k8s.io/api/apps/v1, see schema/schema.ts. */

import { podTemplateSpecSchema } from '../../core/pod/schema.ts';
import { objectMetaSchema } from '../../meta/object-meta.ts';
import { labelSelectorSchema } from '../../meta/selector.ts';
import {
	always,
	type Infer,
	int32,
	int64,
	mapList,
	nullable,
	object,
	omitZero,
	optional,
	required,
	string,
	timeOrNull,
} from '../../schema/schema.ts';

const specSchema = object(
	'io.k8s.api.apps.v1.ReplicaSetSpec',
	'Desired state of a ReplicaSet: how many Pods it keeps, and of which template.',
	{
		replicas: optional(int32, 'Number of Pods that the controller keeps. Default 1.'),
		minReadySeconds: omitZero(
			int32,
			'Seconds for which a Pod must be ready without interruption before it counts as available. Default 0.',
		),
		selector: nullable(
			labelSelectorSchema,
			'Label selector for the Pods of the ReplicaSet. Required, must match the labels of the template. Immutable.',
		),
		template: required(
			podTemplateSpecSchema,
			'Template of the Pods that the controller creates. restartPolicy must be Always. A change affects only new Pods.',
		),
	},
);

const conditionSchema = object(
	'io.k8s.api.apps.v1.ReplicaSetCondition',
	'One observation of the state of a ReplicaSet.',
	{
		type: required(string, 'Type of the condition: ReplicaFailure.'),
		status: required(string, 'Whether the condition holds: True, False or Unknown.'),
		lastTransitionTime: always(timeOrNull, 'Time at which the status of the condition last changed.'),
		reason: optional(string, 'Reason for the last change: FailedCreate or FailedDelete.'),
		message: optional(string, 'Details of the last change, for humans.'),
	},
);

/** One observation of the state of a ReplicaSet or ReplicationController. */
export type ReplicaSetCondition = Infer<typeof conditionSchema>;

const statusSchema = object(
	'io.k8s.api.apps.v1.ReplicaSetStatus',
	'Observed state of a ReplicaSet, written by its controller.',
	{
		replicas: required(int32, 'Number of Pods that run or will run and are not being deleted.'),
		fullyLabeledReplicas: omitZero(int32, 'Number of these Pods that have all labels of the template.'),
		readyReplicas: omitZero(int32, 'Number of these Pods with condition Ready.'),
		availableReplicas: omitZero(int32, 'Number of these Pods that have been ready for minReadySeconds.'),
		terminatingReplicas: optional(int32, 'Number of Pods that are being deleted and have not ended yet.'),
		observedGeneration: omitZero(int64, 'Generation of the ReplicaSet for which the status was computed.'),
		conditions: optional(
			mapList(conditionSchema, ['type']),
			'Latest observations: ReplicaFailure if Pods could not be created or deleted.',
		),
	},
);

/** Observed state of a ReplicaSet. */
export type ReplicaSetStatus = Infer<typeof statusSchema>;

/** Schema of apps/v1 ReplicaSet. */
export const replicaSetSchema = object(
	'io.k8s.api.apps.v1.ReplicaSet',
	'Keeps a number of Pods of one template running.',
	{
		apiVersion: required(string, 'Version of the API: apps/v1.'),
		kind: required(string, 'Kind of the object: ReplicaSet.'),
		metadata: required(objectMetaSchema, 'Standard object metadata: name, labels, annotations and owners.'),
		spec: required(specSchema, 'Desired state of the ReplicaSet.'),
		status: required(statusSchema, 'Observed state of the ReplicaSet, written by its controller.'),
	},
);

/** Keeps a number of Pods of one template running. */
export type ReplicaSet = Infer<typeof replicaSetSchema>;
