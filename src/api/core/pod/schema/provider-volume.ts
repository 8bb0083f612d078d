/**
 * Schemas of volume sources that belong to a single storage provider. Upstream has moved most of them to CSI
 * drivers and removed the implementation of some, but the API still accepts all of them. So does this one: a
 * manifest that names such a source can be stored, although no runtime here mounts it.
 */

import {
	boolean,
	int32,
	list,
	nullable,
	object,
	omitZero,
	optional,
	required,
	string,
} from '../../../schema/schema.ts';
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
} from './provider-fields.ts';
import { localObjectReferenceSchema } from './reference.ts';

const secretRef = sourceSecret(localObjectReferenceSchema);
const partition = omitZero(int32, 'Number of the partition, 1 to 255. Default 0: the whole disk.');

/** The schemas of the sources, by the name of their field in a volume. */
export const providerVolumeSources = {
	nfs: optional(
		object('io.k8s.api.core.v1.NFSVolumeSource', 'Directory that an NFS server exports.', {
			server: required(string, 'Host name or IP address of the NFS server.'),
			path: required(string, 'Absolute path of the exported directory.'),
			readOnly,
		}),
		'Mounts a directory that an NFS server exports.',
	),
	iscsi: optional(
		object(
			'io.k8s.api.core.v1.ISCSIVolumeSource',
			'Disk that an iSCSI target provides.',
			iscsiFields(secretRef),
		),
		'Mounts a disk that an iSCSI target provides.',
	),
	fc: optional(
		object(
			'io.k8s.api.core.v1.FCVolumeSource',
			'Disk that a Fibre Channel target provides. Exactly one of targetWWNs and wwids must be set.',
			{
				targetWWNs: optional(list(string), 'World-wide names (WWN) of the target; requires lun.'),
				lun: optional(int32, 'Logical unit number (LUN) of the disk, 0 to 255.'),
				fsType,
				readOnly,
				wwids: optional(list(string), 'World-wide identifiers of the volume.'),
			},
		),
		'Mounts a disk that a Fibre Channel target provides.',
	),
	flexVolume: optional(
		object(
			'io.k8s.api.core.v1.FlexVolumeSource',
			'Volume that a FlexVolume driver provides. Deprecated: use a CSI driver.',
			flexVolumeFields(secretRef),
		),
		'Mounts a volume that a FlexVolume driver provides. Deprecated: use a CSI driver.',
	),
	portworxVolume: optional(
		object(
			'io.k8s.api.core.v1.PortworxVolumeSource',
			'Volume that Portworx provides. Deprecated: use the CSI driver.',
			{
				volumeID: required(string, 'Identifier of the Portworx volume.'),
				fsType,
				readOnly,
			},
		),
		'Mounts a volume that Portworx provides. Deprecated: use the CSI driver.',
	),
	azureDisk: optional(
		object(
			'io.k8s.api.core.v1.AzureDiskVolumeSource',
			'Data disk of Azure. Deprecated: use the CSI driver.',
			{
				diskName: required(string, 'Name of the disk in Azure.'),
				diskURI: required(string, 'URI of the disk in Azure.'),
				cachingMode: nullable(string, 'Host caching of the disk: None, ReadOnly or ReadWrite (the default).'),
				fsType: nullable(string, 'Type of the file system. Default ext4.'),
				readOnly: optional(boolean, 'If true, the volume is read-only. Default false.'),
				kind: nullable(
					string,
					'Shared (the default) and Dedicated are blobs of a storage account, Managed is a managed disk.',
				),
			},
		),
		'Mounts a data disk of Azure. Deprecated: use the CSI driver.',
	),
	azureFile: optional(
		object(
			'io.k8s.api.core.v1.AzureFileVolumeSource',
			'File share of Azure. Deprecated: use the CSI driver.',
			azureFileFields,
		),
		'Mounts a file share of Azure. Deprecated: use the CSI driver.',
	),
	awsElasticBlockStore: optional(
		object(
			'io.k8s.api.core.v1.AWSElasticBlockStoreVolumeSource',
			'Elastic Block Store volume of AWS. Deprecated: use the CSI driver.',
			{
				volumeID: required(string, 'Identifier of the volume in AWS.'),
				fsType,
				partition,
				readOnly,
			},
		),
		'Mounts an Elastic Block Store volume of AWS. Deprecated: use the CSI driver.',
	),
	gcePersistentDisk: optional(
		object(
			'io.k8s.api.core.v1.GCEPersistentDiskVolumeSource',
			'Persistent disk of Google Compute Engine. Deprecated: use the CSI driver.',
			{
				pdName: required(string, 'Name of the disk in Google Compute Engine.'),
				fsType,
				partition,
				readOnly,
			},
		),
		'Mounts a persistent disk of Google Compute Engine. Deprecated: use the CSI driver.',
	),
	cinder: optional(
		object(
			'io.k8s.api.core.v1.CinderVolumeSource',
			'Cinder volume of OpenStack. Deprecated: use the CSI driver.',
			cinderFields(secretRef),
		),
		'Mounts a Cinder volume of OpenStack. Deprecated: use the CSI driver.',
	),
	vsphereVolume: optional(
		object(
			'io.k8s.api.core.v1.VsphereVirtualDiskVolumeSource',
			'Virtual disk of vSphere. Deprecated: use the CSI driver.',
			{
				volumePath: required(string, 'Path of the virtual disk in vSphere.'),
				fsType,
				storagePolicyName: optional(string, 'Name of the storage policy of the disk.'),
				storagePolicyID: optional(string, 'Identifier of the storage policy named by storagePolicyName.'),
			},
		),
		'Mounts a virtual disk of vSphere. Deprecated: use the CSI driver.',
	),
	gitRepo: optional(
		object(
			'io.k8s.api.core.v1.GitRepoVolumeSource',
			'Clone of a git repository. Deprecated and disabled by default in Kubernetes: clone in an init container instead.',
			{
				repository: required(string, 'URL of the git repository.'),
				revision: optional(string, 'Hash of the commit to check out. Default: the head of the repository.'),
				directory: optional(
					string,
					'Directory of the volume to clone into. Default: a new one with the name of the repository.',
				),
			},
		),
		'Mounts a clone of a git repository. Deprecated and disabled by default in Kubernetes.',
	),
	glusterfs: optional(
		object(
			'io.k8s.api.core.v1.GlusterfsVolumeSource',
			'Glusterfs volume. No Kubernetes version since 1.26 can mount it.',
			glusterfsFields,
		),
		'Mounts a Glusterfs volume. No Kubernetes version since 1.26 can mount it.',
	),
	rbd: optional(
		object(
			'io.k8s.api.core.v1.RBDVolumeSource',
			'Block device of Ceph (RBD). No Kubernetes version since 1.31 can mount it.',
			rbdFields(secretRef),
		),
		'Mounts a block device of Ceph (RBD). No Kubernetes version since 1.31 can mount it.',
	),
	cephfs: optional(
		object(
			'io.k8s.api.core.v1.CephFSVolumeSource',
			'Ceph file system. No Kubernetes version since 1.31 can mount it.',
			cephfsFields(secretRef),
		),
		'Mounts a Ceph file system. No Kubernetes version since 1.31 can mount it.',
	),
	flocker: optional(
		object(
			'io.k8s.api.core.v1.FlockerVolumeSource',
			'Flocker volume. No Kubernetes version since 1.25 can mount it. Exactly one field must be set.',
			{
				datasetName: optional(string, 'Name of the Flocker dataset.'),
				datasetUUID: optional(string, 'Identifier of the Flocker dataset.'),
			},
		),
		'Mounts a Flocker volume. No Kubernetes version since 1.25 can mount it.',
	),
	quobyte: optional(
		object(
			'io.k8s.api.core.v1.QuobyteVolumeSource',
			'Quobyte volume. No Kubernetes version since 1.25 can mount it.',
			{
				registry: required(string, 'Addresses of the Quobyte registry: <host>:<port>, separated by commas.'),
				volume: required(string, 'Name of the Quobyte volume.'),
				readOnly,
				user: optional(
					string,
					'User that accesses to the volume are mapped to. Default: that of the process.',
				),
				group: optional(string, 'Group that accesses to the volume are mapped to. Default: no group.'),
				tenant: optional(string, 'Tenant that owns the volume: at most 64 characters.'),
			},
		),
		'Mounts a Quobyte volume. No Kubernetes version since 1.25 can mount it.',
	),
	photonPersistentDisk: optional(
		object(
			'io.k8s.api.core.v1.PhotonPersistentDiskVolumeSource',
			'Photon Controller disk. No Kubernetes version since 1.16 can mount it.',
			{
				pdID: required(string, 'Identifier of the Photon Controller disk.'),
				fsType,
			},
		),
		'Mounts a Photon Controller disk. No Kubernetes version since 1.16 can mount it.',
	),
	scaleIO: optional(
		object(
			'io.k8s.api.core.v1.ScaleIOVolumeSource',
			'ScaleIO volume. No Kubernetes version since 1.22 can mount it.',
			scaleIOFields(secretRef),
		),
		'Mounts a ScaleIO volume. No Kubernetes version since 1.22 can mount it.',
	),
	storageos: optional(
		object(
			'io.k8s.api.core.v1.StorageOSVolumeSource',
			'StorageOS volume. No Kubernetes version since 1.25 can mount it.',
			{
				volumeName: optional(string, 'Name of the StorageOS volume. Required.'),
				volumeNamespace: optional(
					string,
					'Namespace of the volume in StorageOS. Default: the namespace of the Pod.',
				),
				fsType,
				readOnly,
				secretRef,
			},
		),
		'Mounts a StorageOS volume. No Kubernetes version since 1.25 can mount it.',
	),
};
