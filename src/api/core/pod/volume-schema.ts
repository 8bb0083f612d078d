import { objectMetaSchema } from '../../meta/object-meta.ts';
import {
	always,
	boolean,
	type Infer,
	int32,
	int64,
	list,
	map,
	object,
	oneOf,
	optional,
	plain,
	pointer,
	quantity,
	required,
	string,
} from '../../meta/schema.ts';
import { labelSelectorSchema } from '../../meta/selector.ts';
import { providerVolumeSources } from './provider-volume-schema.ts';
import {
	localObjectReferenceSchema,
	objectFieldSelectorSchema,
	resourceFieldSelectorSchema,
	typedLocalObjectReferenceSchema,
	typedObjectReferenceSchema,
} from './reference-schema.ts';

const keyToPathSchema = object('io.k8s.api.core.v1.KeyToPath', 'Puts a key into a file.', {
	key: required(string, 'The key.'),
	path: required(string, 'The file, below the mount path.'),
	mode: optional(int32, 'Its mode bits.'),
});

const downwardApiFileSchema = object(
	'io.k8s.api.core.v1.DownwardAPIVolumeFile',
	'Puts a field of the Pod into a file.',
	{
		path: required(string, 'The file, below the mount path.'),
		fieldRef: optional(objectFieldSelectorSchema, 'A field of the Pod.'),
		resourceFieldRef: optional(resourceFieldSelectorSchema, 'A request or limit of a container.'),
		mode: optional(int32, 'Its mode bits.'),
	},
);

const serviceAccountTokenSchema = object(
	'io.k8s.api.core.v1.ServiceAccountTokenProjection',
	'A token of the service account.',
	{
		audience: optional(string, 'Who is to accept it.'),
		expirationSeconds: optional(int64, 'How long it is good for.'),
		path: required(string, 'The file, below the mount path.'),
	},
);

const clusterTrustBundleSchema = object(
	'io.k8s.api.core.v1.ClusterTrustBundleProjection',
	'Trusted certificates.',
	{
		name: pointer(string, 'The bundle.'),
		signerName: pointer(string, 'All bundles of a signer.'),
		labelSelector: optional(labelSelectorSchema, 'Which of them.'),
		optional: optional(boolean, 'Whether they may be missing.'),
		path: required(string, 'The file, below the mount path.'),
	},
);

const podCertificateSchema = object(
	'io.k8s.api.core.v1.PodCertificateProjection',
	'A certificate for the Pod.',
	{
		signerName: optional(string, 'Who signs it.'),
		keyType: optional(string, 'The type of its key.'),
		maxExpirationSeconds: optional(int32, 'How long it may be good for.'),
		credentialBundlePath: optional(string, 'The file with key and certificates.'),
		keyPath: optional(string, 'The file with the key.'),
		certificateChainPath: optional(string, 'The file with the certificates.'),
		userAnnotations: optional(map(string), 'Further details for the signer.'),
	},
);

const projectionFields = {
	name: optional(string, 'Name of the object.'),
	items: optional(list(keyToPathSchema), 'Which keys go where; all of them where it is left out.'),
	optional: optional(boolean, 'Whether it may be missing.'),
};

const volumeProjectionSchema = object(
	'io.k8s.api.core.v1.VolumeProjection',
	'One of several sources in a volume.',
	{
		secret: optional(
			object('io.k8s.api.core.v1.SecretProjection', 'Keys of a Secret.', projectionFields),
			'Keys of a Secret.',
		),
		downwardAPI: optional(
			object('io.k8s.api.core.v1.DownwardAPIProjection', 'Fields of the Pod.', {
				items: optional(list(downwardApiFileSchema), 'The files.'),
			}),
			'Fields of the Pod.',
		),
		configMap: optional(
			object('io.k8s.api.core.v1.ConfigMapProjection', 'Keys of a ConfigMap.', projectionFields),
			'Keys of a ConfigMap.',
		),
		serviceAccountToken: optional(serviceAccountTokenSchema, 'A token of the service account.'),
		clusterTrustBundle: optional(clusterTrustBundleSchema, 'Trusted certificates.'),
		podCertificate: optional(podCertificateSchema, 'A certificate for the Pod.'),
	},
);

const persistentVolumeClaimSpecSchema = object(
	'io.k8s.api.core.v1.PersistentVolumeClaimSpec',
	'What storage is asked for.',
	{
		accessModes: optional(list(string), 'How it is to be used.'),
		selector: optional(labelSelectorSchema, 'Which volumes may serve.'),
		resources: always(
			object('io.k8s.api.core.v1.VolumeResourceRequirements', 'How large it is to be.', {
				limits: optional(map(quantity), 'At most.'),
				requests: optional(map(quantity), 'At least.'),
			}),
			'How large it is to be.',
		),
		volumeName: optional(string, 'The volume that serves it.'),
		storageClassName: pointer(string, 'The class of storage.'),
		volumeMode: pointer(oneOf('Filesystem', 'Block'), 'Files or a block device.'),
		dataSource: optional(typedLocalObjectReferenceSchema, 'What it starts from.'),
		dataSourceRef: optional(typedObjectReferenceSchema, 'The same, more generally.'),
		volumeAttributesClassName: pointer(string, 'The class of its attributes.'),
	},
);

const ephemeralSchema = object('io.k8s.api.core.v1.EphemeralVolumeSource', 'A claim made for this Pod.', {
	volumeClaimTemplate: optional(
		object('io.k8s.api.core.v1.PersistentVolumeClaimTemplate', 'The claim to make.', {
			metadata: always(objectMetaSchema, 'Labels and annotations of the claim.'),
			spec: required(persistentVolumeClaimSpecSchema, 'What it asks for.'),
		}),
		'The claim to make.',
	),
});

const csiSchema = object('io.k8s.api.core.v1.CSIVolumeSource', 'Storage of a CSI driver.', {
	driver: required(string, 'The driver.'),
	readOnly: optional(boolean, 'Whether it can only be read.'),
	fsType: pointer(string, 'The file system.'),
	volumeAttributes: optional(map(string), 'Settings of the driver.'),
	nodePublishSecretRef: optional(localObjectReferenceSchema, 'The Secret it needs.'),
});

/** The sources a volume can have. */
const volumeSources = {
	hostPath: optional(
		object('io.k8s.api.core.v1.HostPathVolumeSource', 'A file or folder of the node.', {
			path: required(string, 'Where it is.'),
			type: pointer(string, 'What it must be.'),
		}),
		'A file or folder of the node.',
	),
	emptyDir: optional(
		object('io.k8s.api.core.v1.EmptyDirVolumeSource', 'A folder that lives as long as the Pod.', {
			medium: optional(string, 'Memory, or empty for the disk.'),
			sizeLimit: optional(quantity, 'How large it may grow.'),
		}),
		'A folder that lives as long as the Pod.',
	),
	secret: optional(
		object('io.k8s.api.core.v1.SecretVolumeSource', 'Keys of a Secret.', {
			secretName: optional(string, 'The Secret.'),
			items: optional(list(keyToPathSchema), 'Which keys go where.'),
			defaultMode: optional(int32, 'Mode bits of the files.'),
			optional: optional(boolean, 'Whether it may be missing.'),
		}),
		'Keys of a Secret.',
	),
	configMap: optional(
		object('io.k8s.api.core.v1.ConfigMapVolumeSource', 'Keys of a ConfigMap.', {
			...projectionFields,
			defaultMode: optional(int32, 'Mode bits of the files.'),
		}),
		'Keys of a ConfigMap.',
	),
	downwardAPI: optional(
		object('io.k8s.api.core.v1.DownwardAPIVolumeSource', 'Fields of the Pod.', {
			items: optional(list(downwardApiFileSchema), 'The files.'),
			defaultMode: optional(int32, 'Mode bits of the files.'),
		}),
		'Fields of the Pod.',
	),
	projected: optional(
		object('io.k8s.api.core.v1.ProjectedVolumeSource', 'Several sources in one folder.', {
			sources: optional(list(volumeProjectionSchema), 'The sources.'),
			defaultMode: optional(int32, 'Mode bits of the files.'),
		}),
		'Several sources in one folder.',
	),
	persistentVolumeClaim: optional(
		object('io.k8s.api.core.v1.PersistentVolumeClaimVolumeSource', 'Storage that was claimed.', {
			claimName: required(string, 'The claim.'),
			readOnly: plain(boolean, 'Whether it can only be read.'),
		}),
		'Storage that was claimed.',
	),
	ephemeral: optional(ephemeralSchema, 'A claim made for this Pod.'),
	csi: optional(csiSchema, 'Storage of a CSI driver.'),
	image: optional(
		object('io.k8s.api.core.v1.ImageVolumeSource', 'The content of an image.', {
			reference: optional(string, 'The image.'),
			pullPolicy: optional(oneOf('Always', 'IfNotPresent', 'Never'), 'When it is pulled.'),
		}),
		'The content of an image.',
	),
	...providerVolumeSources,
};

/**
 * The names of the fields of a volume that say where it comes from; exactly one is to be set. In the order
 * in which validation looks: all but the first that is set are refused.
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
	'A place for files that containers of a Pod can share.',
	{
		name: required(string, 'Name of the volume, unique in the Pod.'),
		...volumeSources,
	},
);

/** A place for files that containers of a Pod can share. */
export type Volume = Infer<typeof volumeSchema>;

/** One of several sources in a volume. */
export type VolumeProjection = Infer<typeof volumeProjectionSchema>;
