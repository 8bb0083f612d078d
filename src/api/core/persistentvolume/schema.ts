import { objectMetaSchema } from '../../meta/object-meta.ts';
import {
	type Infer,
	list,
	map,
	nullable,
	object,
	oneOf,
	optional,
	quantity,
	required,
	string,
	time,
} from '../../schema/schema.ts';
import { nodeSelectorSchema } from '../pod/schema/affinity.ts';
import { objectReferenceSchema } from '../pod/schema/reference.ts';
import { persistentVolumeSources } from './source-schema.ts';

const volumeNodeAffinitySchema = object(
	'io.k8s.api.core.v1.VolumeNodeAffinity',
	'Nodes from which a volume can be accessed.',
	{ required: optional(nodeSelectorSchema, 'Terms of which a Node must match at least one.') },
);

const persistentVolumeSpecSchema = object(
	'io.k8s.api.core.v1.PersistentVolumeSpec',
	'Storage that a PersistentVolume stands for. Exactly one source must be set, which cannot be changed.',
	{
		capacity: optional(map(quantity), 'Size of the volume, as resource storage. Required.'),
		...persistentVolumeSources,
		accessModes: optional(
			list(string),
			'Ways in which the volume can be mounted: ReadWriteOnce, ReadOnlyMany, ReadWriteMany or ReadWriteOncePod.',
		),
		claimRef: optional(
			objectReferenceSchema,
			'PersistentVolumeClaim that the volume is bound to, or reserved for if uid is empty.',
		),
		persistentVolumeReclaimPolicy: optional(
			oneOf('Retain', 'Delete', 'Recycle'),
			'What happens to a volume whose claim was deleted: Retain (the default of volumes created by hand), Delete (the default of StorageClasses), or Recycle, which is deprecated and not supported.',
		),
		storageClassName: optional(
			string,
			'Name of the StorageClass that the volume belongs to. Empty: it belongs to none.',
		),
		mountOptions: optional(list(string), 'Mount options, such as ro or soft. They are not validated.'),
		volumeMode: nullable(
			oneOf('Filesystem', 'Block'),
			'Whether the volume has a file system or is used as a raw block device. Default Filesystem.',
		),
		nodeAffinity: optional(
			volumeNodeAffinitySchema,
			'Nodes from which the volume can be accessed. Pods that use it are scheduled to one of them.',
		),
		volumeAttributesClassName: nullable(string, 'Name of the VolumeAttributesClass of the volume.'),
	},
);

/** Storage that a PersistentVolume stands for. */
export type PersistentVolumeSpec = Infer<typeof persistentVolumeSpecSchema>;

const persistentVolumeStatusSchema = object(
	'io.k8s.api.core.v1.PersistentVolumeStatus',
	'Observed state of a PersistentVolume. Controllers write it.',
	{
		phase: optional(
			oneOf('Pending', 'Available', 'Bound', 'Released', 'Failed'),
			'Pending, Available for claims, Bound to a claim, Released after its claim was deleted, or Failed if reclaiming it failed.',
		),
		message: optional(string, 'Details of the phase, for humans.'),
		reason: optional(string, 'Reason for a failure, in CamelCase.'),
		lastPhaseTransitionTime: optional(time, 'Time at which the phase last changed.'),
	},
);

/** Schema of v1.PersistentVolume. */
export const persistentVolumeSchema = object(
	'io.k8s.api.core.v1.PersistentVolume',
	'Piece of storage that exists independently of Pods. A PersistentVolumeClaim is bound to it.',
	{
		apiVersion: required(string, 'Version of the API: v1.'),
		kind: required(string, 'Kind of the object: PersistentVolume.'),
		metadata: required(objectMetaSchema, 'Standard object metadata: name, labels, annotations.'),
		spec: required(persistentVolumeSpecSchema, 'Storage that the volume stands for.'),
		status: required(persistentVolumeStatusSchema, 'Observed state of the volume.'),
	},
);

/** Piece of storage that exists independently of Pods. */
export type PersistentVolume = Infer<typeof persistentVolumeSchema>;
