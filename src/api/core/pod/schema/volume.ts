/**
 * Schemas of volumes. A volume has one field for each kind of source, of which exactly one is set; the
 * sources of storage providers are in `provider-volume.ts`.
 */

import {
	boolean,
	type Infer,
	int32,
	list,
	map,
	nullable,
	object,
	omitZero,
	oneOf,
	optional,
	quantity,
	required,
	string,
} from '../../../schema/schema.ts';
import {
	downwardApiFileSchema,
	keyToPathSchema,
	projectionFields,
	volumeProjectionSchema,
} from './projected-volume.ts';
import { providerVolumeSources } from './provider-volume.ts';
import { localObjectReferenceSchema } from './reference.ts';
import { ephemeralSchema } from './volume-claim.ts';

const csiSchema = object(
	'io.k8s.api.core.v1.CSIVolumeSource',
	'Volume that a CSI driver creates for the Pod.',
	{
		driver: required(string, 'Name of the CSI driver.'),
		readOnly: optional(boolean, 'If true, the volume is read-only. Default false.'),
		fsType: nullable(string, "Type of the file system, such as ext4. Default: the driver's choice."),
		volumeAttributes: optional(map(string), 'Settings for the driver, by name.'),
		nodePublishSecretRef: optional(
			localObjectReferenceSchema,
			'Secret that is passed to the driver when it mounts the volume.',
		),
	},
);

/** The field `hostPath` of a volume. PersistentVolumes have the same. */
export const hostPathVolumeSource = optional(
	object('io.k8s.api.core.v1.HostPathVolumeSource', 'File or directory of the node.', {
		path: required(string, 'Path on the node. Symbolic links are followed.'),
		type: nullable(
			string,
			'What must be at the path: Directory, File, Socket, CharDevice or BlockDevice; DirectoryOrCreate and FileOrCreate create it. Default empty: no check.',
		),
	}),
	'Mounts a file or directory of the node.',
);

/** The fields of a volume that name its source. */
const volumeSources = {
	hostPath: hostPathVolumeSource,
	emptyDir: optional(
		object(
			'io.k8s.api.core.v1.EmptyDirVolumeSource',
			'Directory that is empty when the Pod starts and is deleted with the Pod.',
			{
				medium: optional(
					string,
					'Medium of the directory: empty for the disk of the node (the default), Memory for a tmpfs, or HugePages.',
				),
				sizeLimit: optional(
					quantity,
					'Maximum size of the content. A Pod that exceeds it is evicted. Default: no limit.',
				),
			},
		),
		'Mounts a directory that is empty when the Pod starts and is deleted with the Pod.',
	),
	secret: optional(
		object('io.k8s.api.core.v1.SecretVolumeSource', 'Volume with the keys of a Secret as files.', {
			secretName: optional(string, "Name of the Secret, in the Pod's namespace."),
			items: optional(
				list(keyToPathSchema),
				'Keys to write and the path of each. Default: every key, to a file of its name.',
			),
			defaultMode: optional(
				int32,
				'Permission bits of files without a mode of their own, 0 to 511 (octal 0777). Default 420 (octal 0644).',
			),
			optional: optional(
				boolean,
				'If true, the Secret and its keys may be missing; otherwise the volume is not mounted without them. Default false.',
			),
		}),
		'Mounts the keys of a Secret as files.',
	),
	configMap: optional(
		object('io.k8s.api.core.v1.ConfigMapVolumeSource', 'Volume with the keys of a ConfigMap as files.', {
			...projectionFields,
			defaultMode: optional(
				int32,
				'Permission bits of files without a mode of their own, 0 to 511 (octal 0777). Default 420 (octal 0644).',
			),
		}),
		'Mounts the keys of a ConfigMap as files.',
	),
	downwardAPI: optional(
		object('io.k8s.api.core.v1.DownwardAPIVolumeSource', 'Volume with fields of the Pod as files.', {
			items: optional(list(downwardApiFileSchema), 'Files to write and the content of each.'),
			defaultMode: optional(
				int32,
				'Permission bits of files without a mode of their own, 0 to 511 (octal 0777). Default 420 (octal 0644).',
			),
		}),
		'Mounts fields of the Pod as files.',
	),
	projected: optional(
		object(
			'io.k8s.api.core.v1.ProjectedVolumeSource',
			'Volume that combines several sources in one directory.',
			{
				sources: optional(list(volumeProjectionSchema), 'Sources that are combined in the directory.'),
				defaultMode: optional(
					int32,
					'Permission bits of files without a mode of their own, 0 to 511 (octal 0777). Default 420 (octal 0644).',
				),
			},
		),
		'Mounts several sources in one directory.',
	),
	persistentVolumeClaim: optional(
		object(
			'io.k8s.api.core.v1.PersistentVolumeClaimVolumeSource',
			"Reference to a PersistentVolumeClaim in the Pod's namespace.",
			{
				claimName: required(string, 'Name of the PersistentVolumeClaim.'),
				readOnly: omitZero(boolean, 'If true, all mounts of the volume are read-only. Default false.'),
			},
		),
		'Mounts the volume that is bound to a PersistentVolumeClaim.',
	),
	ephemeral: optional(
		ephemeralSchema,
		'Mounts the volume of a PersistentVolumeClaim that is created with the Pod and deleted with it.',
	),
	csi: optional(csiSchema, 'Mounts a volume that a CSI driver creates for the Pod.'),
	image: optional(
		object('io.k8s.api.core.v1.ImageVolumeSource', 'Content of an OCI image or artifact.', {
			reference: optional(
				string,
				'Name of the image or artifact. Required in Pods; a template may leave it to the creator of the Pods.',
			),
			pullPolicy: optional(
				oneOf('Always', 'IfNotPresent', 'Never'),
				'When the image is pulled. Default: Always if it has the tag latest, or neither tag nor digest; else IfNotPresent.',
			),
		}),
		'Mounts the content of an OCI image or artifact, read-only.',
	),
	...providerVolumeSources,
};

/**
 * The names of the source fields of a volume, in the order in which upstream's `validateVolumeSource` checks
 * them. The order matters: validation accepts the first source that is set and reports an error for each
 * further one.
 */
export const VOLUME_SOURCES: readonly (keyof typeof volumeSources)[] = [
	'emptyDir',
	'hostPath',
	'gitRepo',
	'gcePersistentDisk',
	'awsElasticBlockStore',
	'secret',
	'nfs',
	'iscsi',
	'glusterfs',
	'flocker',
	'persistentVolumeClaim',
	'rbd',
	'cinder',
	'cephfs',
	'quobyte',
	'downwardAPI',
	'fc',
	'flexVolume',
	'configMap',
	'azureFile',
	'vsphereVolume',
	'photonPersistentDisk',
	'portworxVolume',
	'azureDisk',
	'storageos',
	'projected',
	'scaleIO',
	'csi',
	'ephemeral',
	'image',
];

/** Schema of v1.Volume. */
export const volumeSchema = object(
	'io.k8s.api.core.v1.Volume',
	'Volume that the containers of a Pod can mount. At most one source may be set; without a source it is an emptyDir.',
	{
		name: required(string, 'Name of the volume: a DNS label, unique in the Pod.'),
		...volumeSources,
	},
);

/** Volume that the containers of a Pod can mount. */
export type Volume = Infer<typeof volumeSchema>;
