/**
 * Schemas of the sources of PersistentVolumes. Many are those of a Pod's volumes. Others have a type of their
 * own, because a PersistentVolume has no namespace: its references to Secrets name one.
 */

import {
	always,
	map,
	nullable,
	object,
	optional,
	required,
	string,
	stringOrNull,
} from '../../schema/schema.ts';
import {
	azureFileFields,
	cephfsFields,
	cinderFields,
	flexVolumeFields,
	sourceFsType as fsType,
	glusterfsFields,
	iscsiFields,
	rbdFields,
	sourceReadOnly as readOnly,
	scaleIOFields,
	sourceSecret,
} from '../pod/schema/provider-fields.ts';
import { providerVolumeSources } from '../pod/schema/provider-volume.ts';
import { objectReferenceSchema } from '../pod/schema/reference.ts';
import { hostPathVolumeSource } from '../pod/schema/volume.ts';

const secretReferenceSchema = {
	...object('io.k8s.api.core.v1.SecretReference', 'Reference to a Secret in any namespace.', {
		name: optional(string, 'Name of the Secret, unique in its namespace.'),
		namespace: optional(string, 'Namespace in which the Secret is.'),
	}),
	atomic: true,
};

const secretRef = sourceSecret(secretReferenceSchema);

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
	iscsiFields(secretRef),
);

const scaleIO = object(
	'io.k8s.api.core.v1.ScaleIOPersistentVolumeSource',
	'ScaleIO volume, no longer supported.',
	scaleIOFields(secretRef),
);

const cephfs = object(
	'io.k8s.api.core.v1.CephFSPersistentVolumeSource',
	'Ceph file system, no longer supported.',
	cephfsFields(secretRef),
);

const rbd = object(
	'io.k8s.api.core.v1.RBDPersistentVolumeSource',
	'Block device of Ceph, no longer supported.',
	rbdFields(secretRef),
);

const glusterfs = object(
	'io.k8s.api.core.v1.GlusterfsPersistentVolumeSource',
	'Glusterfs volume, no longer supported.',
	{
		...glusterfsFields,
		endpointsNamespace: nullable(string, 'Namespace of the Endpoints. Default: that of the claim.'),
	},
);

const azureFile = object(
	'io.k8s.api.core.v1.AzureFilePersistentVolumeSource',
	'File share of Azure. Use the CSI driver.',
	{
		...azureFileFields,
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
		secretRef: sourceSecret(objectReferenceSchema),
	},
);

const flexVolume = object(
	'io.k8s.api.core.v1.FlexPersistentVolumeSource',
	'Volume that a FlexVolume driver provides. Use a CSI driver.',
	flexVolumeFields(secretRef),
);

const cinder = object(
	'io.k8s.api.core.v1.CinderPersistentVolumeSource',
	'Cinder volume of OpenStack. Use the CSI driver.',
	cinderFields(secretRef),
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
