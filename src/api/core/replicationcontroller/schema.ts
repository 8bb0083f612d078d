/** The schema of core/v1 ReplicationController; field kinds follow upstream's k8s.io/api/core/v1, see schema/schema.ts. */

import { objectMetaSchema } from '../../meta/object-meta.ts';
import {
	always,
	type Infer,
	int32,
	int64,
	map,
	mapList,
	nullable,
	object,
	omitZero,
	optional,
	required,
	string,
	timeOrNull,
} from '../../schema/schema.ts';
import { podTemplateSpecSchema } from '../pod/schema.ts';

const specSchema = object(
	'io.k8s.api.core.v1.ReplicationControllerSpec',
	'Desired state of a ReplicationController: how many Pods it keeps, and of which template.',
	{
		replicas: optional(int32, 'Number of Pods that the controller keeps. Default 1.'),
		minReadySeconds: omitZero(
			int32,
			'Seconds for which a Pod must be ready without interruption before it counts as available. Default 0.',
		),
		selector: optional(
			map(string),
			'Labels of the Pods of the ReplicationController. Default: the labels of the template, which they must match.',
		),
		template: nullable(
			podTemplateSpecSchema,
			'Template of the Pods that the controller creates. Required. restartPolicy must be Always. A change affects only new Pods.',
		),
	},
);

const conditionSchema = object(
	'io.k8s.api.core.v1.ReplicationControllerCondition',
	'One observation of the state of a ReplicationController.',
	{
		type: required(string, 'Type of the condition: ReplicaFailure.'),
		status: required(string, 'Whether the condition holds: True, False or Unknown.'),
		lastTransitionTime: always(timeOrNull, 'Time at which the status of the condition last changed.'),
		reason: optional(string, 'Reason for the last change: FailedCreate or FailedDelete.'),
		message: optional(string, 'Details of the last change, for humans.'),
	},
);

const statusSchema = object(
	'io.k8s.api.core.v1.ReplicationControllerStatus',
	'Observed state of a ReplicationController, written by its controller.',
	{
		replicas: required(int32, 'Number of Pods that run or will run and are not being deleted.'),
		fullyLabeledReplicas: omitZero(int32, 'Number of these Pods that have all labels of the template.'),
		readyReplicas: omitZero(int32, 'Number of these Pods with condition Ready.'),
		availableReplicas: omitZero(int32, 'Number of these Pods that have been ready for minReadySeconds.'),
		observedGeneration: omitZero(int64, 'Generation for which the status was computed.'),
		conditions: optional(
			mapList(conditionSchema, ['type']),
			'Latest observations: ReplicaFailure if Pods could not be created or deleted.',
		),
	},
);

/** Schema of core/v1 ReplicationController. */
export const replicationControllerSchema = object(
	'io.k8s.api.core.v1.ReplicationController',
	'Keeps a number of Pods of one template running; the predecessor of ReplicaSets.',
	{
		apiVersion: required(string, 'Version of the API: v1.'),
		kind: required(string, 'Kind of the object: ReplicationController.'),
		metadata: required(
			objectMetaSchema,
			'Standard object metadata. Labels default to those of the template.',
		),
		spec: required(specSchema, 'Desired state of the ReplicationController.'),
		status: required(statusSchema, 'Observed state of the ReplicationController, written by its controller.'),
	},
);

/** Keeps a number of Pods of one template running; the predecessor of ReplicaSets. */
export type ReplicationController = Infer<typeof replicationControllerSchema>;
