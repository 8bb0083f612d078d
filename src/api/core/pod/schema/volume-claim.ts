/**
 * Schemas of the spec of PersistentVolumeClaims, and of the claim that a volume creates with its Pod. (The spec
 * is here and not with its kind, since a Pod contains it.)
 */

import { objectMetaSchema } from '../../../meta/object-meta.ts';
import { labelSelectorSchema } from '../../../meta/selector.ts';
import {
	always,
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
} from '../../../schema/schema.ts';
import { typedLocalObjectReferenceSchema, typedObjectReferenceSchema } from './reference.ts';

/** Schema of v1.PersistentVolumeClaimSpec. */
export const persistentVolumeClaimSpecSchema = object(
	'io.k8s.api.core.v1.PersistentVolumeClaimSpec',
	'Storage that a PersistentVolumeClaim requests.',
	{
		accessModes: optional(
			list(string),
			'Access modes that the volume must support, such as ReadWriteOnce or ReadWriteMany.',
		),
		selector: optional(
			labelSelectorSchema,
			'Labels of the PersistentVolumes that can be bound to the claim.',
		),
		resources: always(
			object('io.k8s.api.core.v1.VolumeResourceRequirements', 'Size of the storage that a claim requests.', {
				limits: optional(map(quantity), 'Maximum amount of each resource, by its name.'),
				requests: optional(
					map(quantity),
					'Minimum amount of each resource, by its name: storage is the size of the volume.',
				),
			}),
			'Size of the storage that the claim requests.',
		),
		volumeName: optional(string, 'Name of the PersistentVolume that is bound to the claim.'),
		storageClassName: nullable(
			string,
			'Name of the StorageClass that provides the volume. Default: the default class of the cluster.',
		),
		volumeMode: nullable(
			oneOf('Filesystem', 'Block'),
			'Whether the volume has a file system or is used as a raw block device. Default Filesystem.',
		),
		dataSource: optional(
			typedLocalObjectReferenceSchema,
			'Snapshot or claim in the same namespace whose content is copied to the new volume.',
		),
		dataSourceRef: optional(
			typedObjectReferenceSchema,
			'Object of any kind whose content is copied to the new volume. Unlike dataSource it can be in another namespace.',
		),
		volumeAttributesClassName: nullable(
			string,
			'Name of the VolumeAttributesClass whose attributes the volume gets.',
		),
	},
);

/** Storage that a PersistentVolumeClaim requests. */
export type PersistentVolumeClaimSpec = Infer<typeof persistentVolumeClaimSpecSchema>;

/** Schema of v1.EphemeralVolumeSource. */
export const ephemeralSchema = object(
	'io.k8s.api.core.v1.EphemeralVolumeSource',
	'PersistentVolumeClaim that is created with the Pod and deleted with it.',
	{
		volumeClaimTemplate: optional(
			object(
				'io.k8s.api.core.v1.PersistentVolumeClaimTemplate',
				'Template of the PersistentVolumeClaim that is created for the Pod.',
				{
					metadata: always(
						objectMetaSchema,
						'Labels and annotations of the claim. Its name is made of the names of the Pod and the volume.',
					),
					spec: required(persistentVolumeClaimSpecSchema, 'Storage that the claim requests.'),
				},
			),
			'Template of the PersistentVolumeClaim that is created for the Pod, which owns it. Required.',
		),
	},
);
