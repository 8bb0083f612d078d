import {
	always,
	boolean,
	int32,
	list,
	map,
	nullable,
	object,
	omitZero,
	optional,
	required,
	string,
	stringOrNull,
} from '../../schema/schema.ts';
import { providerVolumeSources } from '../pod/schema/provider-volume.ts';
import { objectReferenceSchema } from '../pod/schema/reference.ts';
import { hostPathVolumeSource } from '../pod/schema/volume.ts';

/**
 * Schemas of the sources of PersistentVolumes. Many are those of a Pod's volumes. Others have a type of their
 * own, because a PersistentVolume has no namespace: its references to Secrets name one.
 */

const secretReferenceSchema = {
	...object('io.k8s.api.core.v1.SecretReference', 'Reference to a Secret in any namespace.', {
		name: optional(string, 'Name of the Secret, unique in its namespace.'),
		namespace: optional(string, 'Namespace in which the Secret is.'),
	}),
	atomic: true,
};

const readOnly = omitZero(boolean, 'If true, the volume is read-only. Default false.');
const fsType = optional(string, "Type of the file system, such as ext4. Default: the driver's choice.");
const secretRef = optional(secretReferenceSchema, 'Secret with the credentials for the storage provider.');

const csiSecret = (what: string) =>
	optional(secretReferenceSchema, `Secret that the driver gets when it ${what}.`);

const csi = object(
	'io.k8s.api.core.v1.CSIPersistentVolumeSource',
	'Volume that a CSI driver manages. Requires driver and volumeHandle.',
	{
		driver: required(string, 'Name of the CSI driver.'),
		volumeHandle: required(string, 'Identifier by which the driver knows the volume.'),
		readOnly,
		fsType,
		volumeAttributes: optional(map(string), 'Attributes of the volume to publish, by name.'),
		controllerPublishSecretRef: csiSecret('attaches the volume to a node'),
		nodeStageSecretRef: csiSecret('stages the volume on a node'),
		nodePublishSecretRef: csiSecret('mounts the volume for a Pod'),
		controllerExpandSecretRef: csiSecret('expands the volume in the controller'),
		nodeExpandSecretRef: csiSecret('expands the volume on a node'),
	},
);

const iscsi = object(
	'io.k8s.api.core.v1.ISCSIPersistentVolumeSource',
	'Disk that an iSCSI target provides.',
	{
		targetPortal: required(
			string,
			'Address of the target: an IP address, or <address>:<port> if the port is not 3260.',
		),
		iqn: required(string, 'Name of the target: an iqn, eui or naa name.'),
		lun: required(int32, 'Logical unit number (LUN) of the disk, 0 to 255.'),
		iscsiInterface: optional(string, 'Name of the iSCSI interface on the node. Default default.'),
		fsType,
		readOnly,
		portals: optional(list(string), 'Further addresses of the target.'),
		chapAuthDiscovery: omitZero(boolean, 'If true, discovery is authenticated by CHAP; requires secretRef.'),
		chapAuthSession: omitZero(boolean, 'If true, the session is authenticated by CHAP; requires secretRef.'),
		secretRef,
		initiatorName: nullable(string, 'Name of the iSCSI initiator. Default: that of the node.'),
	},
);

const scaleIO = object(
	'io.k8s.api.core.v1.ScaleIOPersistentVolumeSource',
	'ScaleIO volume, no longer supported.',
	{
		gateway: required(string, 'Address of the ScaleIO API gateway.'),
		system: required(string, 'Name of the ScaleIO system.'),
		secretRef,
		sslEnabled: omitZero(boolean, 'If true, connections to the gateway use TLS. Default false.'),
		protectionDomain: optional(string, 'Name of the protection domain.'),
		storagePool: optional(string, 'Name of the storage pool in the protection domain.'),
		storageMode: optional(string, 'ThickProvisioned or ThinProvisioned, which is the default.'),
		volumeName: optional(string, 'Name of the ScaleIO volume.'),
		fsType,
		readOnly,
	},
);

const cephfs = object(
	'io.k8s.api.core.v1.CephFSPersistentVolumeSource',
	'Ceph file system, no longer supported.',
	{
		monitors: required(list(string), 'Addresses of the Ceph monitors.'),
		path: optional(string, 'Directory of the file system to mount. Default /.'),
		user: optional(string, 'Name of the RADOS user. Default admin.'),
		secretFile: optional(string, "Path of the user's keyring. Default /etc/ceph/user.secret."),
		secretRef,
		readOnly,
	},
);

const rbd = object(
	'io.k8s.api.core.v1.RBDPersistentVolumeSource',
	'Block device of Ceph, no longer supported.',
	{
		monitors: required(list(string), 'Addresses of the Ceph monitors.'),
		image: required(string, 'Name of the RBD image.'),
		fsType,
		pool: optional(string, 'Name of the RADOS pool. Default rbd.'),
		user: optional(string, 'Name of the RADOS user. Default admin.'),
		keyring: optional(string, "Path of the user's keyring. Default /etc/ceph/keyring."),
		secretRef,
		readOnly,
	},
);

const glusterfs = object(
	'io.k8s.api.core.v1.GlusterfsPersistentVolumeSource',
	'Glusterfs volume, no longer supported.',
	{
		endpoints: required(string, 'Name of the Endpoints with the addresses of the servers.'),
		path: required(string, 'Name of the Glusterfs volume.'),
		readOnly,
		endpointsNamespace: nullable(string, 'Namespace of the Endpoints. Default: that of the claim.'),
	},
);

const azureFile = object(
	'io.k8s.api.core.v1.AzureFilePersistentVolumeSource',
	'File share of Azure. Use the CSI driver.',
	{
		secretName: required(string, 'Name of the Secret with the name and key of the storage account.'),
		shareName: required(string, 'Name of the file share.'),
		readOnly,
		secretNamespace: always(stringOrNull, 'Namespace of the Secret. Default: that of the Pod.'),
	},
);

const storageos = object(
	'io.k8s.api.core.v1.StorageOSPersistentVolumeSource',
	'StorageOS volume, no longer supported.',
	{
		volumeName: optional(string, 'Name of the StorageOS volume. Required.'),
		volumeNamespace: optional(string, 'Namespace of the volume in StorageOS.'),
		fsType,
		readOnly,
		secretRef: optional(objectReferenceSchema, 'Secret with the credentials for the storage provider.'),
	},
);

const flexVolume = object(
	'io.k8s.api.core.v1.FlexPersistentVolumeSource',
	'Volume that a FlexVolume driver provides. Use a CSI driver.',
	{
		driver: required(string, 'Name of the FlexVolume driver.'),
		fsType,
		secretRef,
		readOnly,
		options: optional(map(string), 'Settings for the driver, by name.'),
	},
);

const cinder = object(
	'io.k8s.api.core.v1.CinderPersistentVolumeSource',
	'Cinder volume of OpenStack. Use the CSI driver.',
	{
		volumeID: required(string, 'Identifier of the volume in Cinder.'),
		fsType,
		readOnly,
		secretRef,
	},
);

const local = object('io.k8s.api.core.v1.LocalVolumeSource', 'Directory or disk of one node.', {
	path: required(string, 'Path on the node: of a directory, or of a block device.'),
	fsType: nullable(string, 'Type of the file system of a block device. Default: chosen by the node.'),
});

/** The fields of the spec of a PersistentVolume that name its source, of which exactly one must be set. */
export const persistentVolumeSources = {
	gcePersistentDisk: providerVolumeSources.gcePersistentDisk,
	awsElasticBlockStore: providerVolumeSources.awsElasticBlockStore,
	hostPath: hostPathVolumeSource,
	glusterfs: optional(glusterfs, 'The volume is a Glusterfs volume, which no longer can be mounted.'),
	nfs: providerVolumeSources.nfs,
	rbd: optional(rbd, 'The volume is a block device of Ceph, which no longer can be mounted.'),
	iscsi: optional(iscsi, 'The volume is a disk that an iSCSI target provides.'),
	cinder: optional(cinder, 'The volume is a Cinder volume of OpenStack. Use the CSI driver.'),
	cephfs: optional(cephfs, 'The volume is a Ceph file system, which no longer can be mounted.'),
	fc: providerVolumeSources.fc,
	flocker: providerVolumeSources.flocker,
	flexVolume: optional(flexVolume, 'The volume is provided by a FlexVolume driver. Use a CSI driver.'),
	azureFile: optional(azureFile, 'The volume is a file share of Azure. Use the CSI driver.'),
	vsphereVolume: providerVolumeSources.vsphereVolume,
	quobyte: providerVolumeSources.quobyte,
	azureDisk: providerVolumeSources.azureDisk,
	photonPersistentDisk: providerVolumeSources.photonPersistentDisk,
	portworxVolume: providerVolumeSources.portworxVolume,
	scaleIO: optional(scaleIO, 'The volume is a ScaleIO volume, which no longer can be mounted.'),
	local: optional(local, 'The volume is a directory or disk of one node; requires nodeAffinity.'),
	storageos: optional(storageos, 'The volume is a StorageOS volume, which no longer can be mounted.'),
	csi: optional(csi, 'The volume is managed by a CSI driver.'),
};
