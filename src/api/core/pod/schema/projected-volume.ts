/** Schemas of volumes whose files come from objects of the API and from the Pod itself. */

import { labelSelectorSchema } from '../../../meta/selector.ts';
import {
	boolean,
	type Infer,
	int32,
	int64,
	list,
	map,
	nullable,
	object,
	optional,
	required,
	string,
} from '../../../schema/schema.ts';
import { objectFieldSelectorSchema, resourceFieldSelectorSchema } from './reference.ts';

/** Schema of v1.KeyToPath. */
export const keyToPathSchema = object(
	'io.k8s.api.core.v1.KeyToPath',
	'Mapping of a key to a file of the volume.',
	{
		key: required(string, 'Key whose value becomes the content of the file.'),
		path: required(string, "Path of the file, relative to the mount path. It must not contain '..'."),
		mode: optional(
			int32,
			'Permission bits of the file, 0 to 511 (octal 0777). Default: defaultMode of the volume.',
		),
	},
);

/** Schema of v1.DownwardAPIVolumeFile. */
export const downwardApiFileSchema = object(
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

/** The fields that volumes and projections of ConfigMaps have in common, and projections of Secrets. */
export const projectionFields = {
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

/** Schema of v1.VolumeProjection. */
export const volumeProjectionSchema = object(
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

/** One source of a projected volume. */
export type VolumeProjection = Infer<typeof volumeProjectionSchema>;
