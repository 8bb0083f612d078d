import { objectMetaSchema } from '../../../meta/object-meta.ts';
import { labelSelectorSchema } from '../../../meta/selector.ts';
import {
	always,
	boolean,
	type Infer,
	int32,
	int64,
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
import { providerVolumeSources } from './provider-volume.ts';
import {
	localObjectReferenceSchema,
	objectFieldSelectorSchema,
	resourceFieldSelectorSchema,
	typedLocalObjectReferenceSchema,
	typedObjectReferenceSchema,
} from './reference.ts';

/**
 * Schemas of volumes. A volume has one field for each kind of source, of which exactly one is set; the
 * sources of storage providers are in `provider-volume-schema.ts`.
 */

const keyToPathSchema = object('io.k8s.api.core.v1.KeyToPath', 'Mapping of a key to a file of the volume.', {
	key: required(string, 'Key whose value becomes the content of the file.'),
	path: required(string, "Path of the file, relative to the mount path. It must not contain '..'."),
	mode: optional(
		int32,
		'Permission bits of the file, 0 to 511 (octal 0777). Default: defaultMode of the volume.',
	),
});

const downwardApiFileSchema = object(
	'io.k8s.api.core.v1.DownwardAPIVolumeFile',
	'File with a field of the Pod or a resource of a container. Exactly one of fieldRef and resourceFieldRef must be set.',
	{
		path: required(string, "Path of the file, relative to the mount path. It must not contain '..'."),
		fieldRef: optional(
			objectFieldSelectorSchema,
			'Writes metadata.annotations, metadata.labels, metadata.name, metadata.namespace, metadata.uid or a single label or annotation of the Pod.',
		),
		resourceFieldRef: optional(
			resourceFieldSelectorSchema,
			'Writes a resource limit or request of a container, such as limits.cpu.',
		),
		mode: optional(
			int32,
			'Permission bits of the file, 0 to 511 (octal 0777). Default: defaultMode of the volume.',
		),
	},
);

const serviceAccountTokenSchema = object(
	'io.k8s.api.core.v1.ServiceAccountTokenProjection',
	"File with a token of the Pod's service account, which is renewed before it expires.",
	{
		audience: optional(
			string,
			'Recipient that the token is meant for; others must reject it. Default: the API server.',
		),
		expirationSeconds: optional(int64, 'Lifetime of the token in seconds, at least 600. Default 3600.'),
		path: required(string, 'Path of the file, relative to the mount path.'),
	},
);

const clusterTrustBundleSchema = object(
	'io.k8s.api.core.v1.ClusterTrustBundleProjection',
	'File with trusted certificates (PEM) from ClusterTrustBundle objects.',
	{
		name: nullable(string, 'Name of a single ClusterTrustBundle. Cannot be combined with signerName.'),
		signerName: nullable(
			string,
			'Name of the signer whose ClusterTrustBundles are combined. Cannot be combined with name.',
		),
		labelSelector: optional(
			labelSelectorSchema,
			"Labels of the signer's bundles that are used. Default: no bundle; an empty selector matches all.",
		),
		optional: optional(
			boolean,
			'If true, the bundles may be missing; otherwise the Pod does not start without them. Default false.',
		),
		path: required(string, 'Path of the file, relative to the mount path.'),
	},
);

const podCertificateSchema = object(
	'io.k8s.api.core.v1.PodCertificateProjection',
	'Files with a private key and a certificate that a signer issues for the Pod.',
	{
		signerName: optional(string, 'Name of the signer that issues the certificate.'),
		keyType: optional(string, 'Type of the private key, such as ED25519, ECDSAP256 or RSA3072.'),
		maxExpirationSeconds: optional(
			int32,
			'Maximum lifetime of the certificate in seconds, at least 3600; the signer may choose a shorter one.',
		),
		credentialBundlePath: optional(
			string,
			'Path of the file with the private key and the certificate chain (PEM), relative to the mount path.',
		),
		keyPath: optional(string, 'Path of the file with the private key alone, relative to the mount path.'),
		certificateChainPath: optional(
			string,
			'Path of the file with the certificate chain alone, relative to the mount path.',
		),
		userAnnotations: optional(map(string), 'Further information for the signer, passed on unchanged.'),
	},
);

const projectionFields = {
	name: optional(string, "Name of the ConfigMap or Secret, in the Pod's namespace."),
	items: optional(
		list(keyToPathSchema),
		'Keys to write and the path of each. Default: every key, to a file of its name.',
	),
	optional: optional(
		boolean,
		'If true, the object and its keys may be missing; otherwise the volume is not mounted without them. Default false.',
	),
};

const volumeProjectionSchema = object(
	'io.k8s.api.core.v1.VolumeProjection',
	'One source of a projected volume. Exactly one field must be set.',
	{
		secret: optional(
			object(
				'io.k8s.api.core.v1.SecretProjection',
				'Keys of a Secret in a projected volume.',
				projectionFields,
			),
			'Writes keys of a Secret to files.',
		),
		downwardAPI: optional(
			object('io.k8s.api.core.v1.DownwardAPIProjection', 'Fields of the Pod in a projected volume.', {
				items: optional(list(downwardApiFileSchema), 'Files to write and the content of each.'),
			}),
			'Writes fields of the Pod to files.',
		),
		configMap: optional(
			object(
				'io.k8s.api.core.v1.ConfigMapProjection',
				'Keys of a ConfigMap in a projected volume.',
				projectionFields,
			),
			'Writes keys of a ConfigMap to files.',
		),
		serviceAccountToken: optional(
			serviceAccountTokenSchema,
			"Writes a token of the Pod's service account to a file.",
		),
		clusterTrustBundle: optional(
			clusterTrustBundleSchema,
			'Writes trusted certificates of ClusterTrustBundles to a file.',
		),
		podCertificate: optional(
			podCertificateSchema,
			'Writes a private key and a certificate of the Pod to files.',
		),
	},
);

const persistentVolumeClaimSpecSchema = object(
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

const ephemeralSchema = object(
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

/** The fields of a volume that name its source. */
const volumeSources = {
	hostPath: optional(
		object('io.k8s.api.core.v1.HostPathVolumeSource', 'File or directory of the node.', {
			path: required(string, 'Path on the node. Symbolic links are followed.'),
			type: nullable(
				string,
				'What must be at the path: Directory, File, Socket, CharDevice or BlockDevice; DirectoryOrCreate and FileOrCreate create it. Default empty: no check.',
			),
		}),
		'Mounts a file or directory of the node.',
	),
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

/** One source of a projected volume. */
export type VolumeProjection = Infer<typeof volumeProjectionSchema>;
