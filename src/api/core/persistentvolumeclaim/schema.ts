import { objectMetaSchema } from '../../meta/object-meta.ts';
import {
	always,
	type Infer,
	list,
	map,
	mapList,
	nullable,
	object,
	oneOf,
	optional,
	quantity,
	required,
	string,
	timeOrNull,
} from '../../schema/schema.ts';
import { persistentVolumeClaimSpecSchema } from '../pod/schema/volume-claim.ts';

export type { PersistentVolumeClaimSpec } from '../pod/schema/volume-claim.ts';

const conditionSchema = object(
	'io.k8s.api.core.v1.PersistentVolumeClaimCondition',
	"Latest observation of one aspect of a claim's state.",
	{
		type: required(string, 'Type of the condition, such as Resizing, FileSystemResizePending or Unused.'),
		status: required(string, 'Whether the condition holds: True, False or Unknown.'),
		lastProbeTime: always(timeOrNull, 'Time at which the condition was last checked.'),
		lastTransitionTime: always(timeOrNull, 'Time at which the status of the condition last changed.'),
		reason: optional(string, 'Reason for the last change, in CamelCase.'),
		message: optional(string, 'Details of the last change, for humans.'),
	},
);

const modifyVolumeStatusSchema = object(
	'io.k8s.api.core.v1.ModifyVolumeStatus',
	'State of a change of the VolumeAttributesClass of a volume.',
	{
		targetVolumeAttributesClassName: optional(string, 'VolumeAttributesClass that the volume is changed to.'),
		status: required(
			oneOf('Pending', 'InProgress', 'Infeasible'),
			'State of the change: Pending, InProgress or Infeasible.',
		),
	},
);

const healthStatusSchema = object(
	'io.k8s.api.core.v1.VolumeHealthStatus',
	'Health of the volume, as a CSI driver reports it. Its feature is off, so it is dropped.',
	{
		healthConditions: optional(
			mapList(
				object('io.k8s.api.core.v1.VolumeHealthCondition', 'Adverse condition of a volume.', {
					status: required(string, 'Kind of the adverse condition of the volume.'),
					reason: required(string, 'Reason for the condition, in CamelCase.'),
					message: optional(string, 'Details of the condition, for humans.'),
				}),
				['status', 'reason'],
				{ mergeKey: 'status' },
			),
			'Adverse conditions of the volume; an empty list means that there is none.',
		),
		lastTransitionTime: always(timeOrNull, 'Time at which the conditions last changed.'),
	},
);

const persistentVolumeClaimStatusSchema = object(
	'io.k8s.api.core.v1.PersistentVolumeClaimStatus',
	'Observed state of a PersistentVolumeClaim. Controllers write it.',
	{
		phase: optional(
			oneOf('Pending', 'Bound', 'Lost'),
			'Pending until a volume is bound, Bound, or Lost if the bound volume no longer exists.',
		),
		accessModes: optional(list(string), 'Access modes of the bound volume.'),
		capacity: optional(map(quantity), 'Size of the bound volume, as resource storage.'),
		conditions: optional(
			mapList(conditionSchema, ['type']),
			'Conditions of the claim, such as a change of its size in progress.',
		),
		allocatedResources: optional(
			map(quantity),
			'Size that is being allocated to the claim while the volume is expanded.',
		),
		allocatedResourceStatuses: optional(
			map(string),
			'State of the expansion of each resource, such as ControllerResizeInProgress.',
		),
		currentVolumeAttributesClassName: nullable(
			string,
			'VolumeAttributesClass that the volume has at present.',
		),
		modifyVolumeStatus: optional(
			modifyVolumeStatusSchema,
			'State of the change to another VolumeAttributesClass. Absent if there is none.',
		),
		healthStatus: optional(healthStatusSchema, 'Health of the volume, as a CSI driver reports it.'),
	},
);

/** Schema of v1.PersistentVolumeClaim. */
export const persistentVolumeClaimSchema = object(
	'io.k8s.api.core.v1.PersistentVolumeClaim',
	'Request for storage. A controller binds it to a PersistentVolume, and Pods mount that by naming the claim.',
	{
		apiVersion: required(string, 'Version of the API: v1.'),
		kind: required(string, 'Kind of the object: PersistentVolumeClaim.'),
		metadata: required(objectMetaSchema, 'Standard object metadata: name, namespace, labels, annotations.'),
		spec: required(persistentVolumeClaimSpecSchema, 'Storage that the claim requests.'),
		status: required(persistentVolumeClaimStatusSchema, 'Observed state of the claim.'),
	},
);

/** Request for storage, which a controller binds to a PersistentVolume. */
export type PersistentVolumeClaim = Infer<typeof persistentVolumeClaimSchema>;
