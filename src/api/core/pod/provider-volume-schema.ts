import {
	boolean,
	int32,
	list,
	map,
	object,
	optional,
	plain,
	pointer,
	required,
	string,
} from '../../meta/schema.ts';
import { localObjectReferenceSchema } from './reference-schema.ts';

/**
 * The volume sources that belong to one storage provider each. Upstream has moved most of them out to CSI
 * drivers and dropped some, but still takes and keeps them all, so manifests that name one can be stored.
 */

const readOnly = plain(boolean, 'Whether it can only be read.');
const fsType = optional(string, 'The file system.');
const secretRef = optional(localObjectReferenceSchema, 'The Secret it needs.');
const partition = plain(int32, 'The partition; the whole disk where it is left out.');

/** The sources by the name of their field in a volume. */
export const providerVolumeSources = {
	nfs: optional(
		object('io.k8s.api.core.v1.NFSVolumeSource', 'A folder of an NFS server.', {
			server: required(string, 'The server.'),
			path: required(string, 'The folder.'),
			readOnly,
		}),
		'A folder of an NFS server.',
	),
	iscsi: optional(
		object('io.k8s.api.core.v1.ISCSIVolumeSource', 'An iSCSI disk.', {
			targetPortal: required(string, 'Address of the target.'),
			iqn: required(string, 'Name of the target.'),
			lun: required(int32, 'Number of the unit.'),
			iscsiInterface: optional(string, 'The interface to use.'),
			fsType,
			readOnly,
			portals: optional(list(string), 'Further addresses.'),
			chapAuthDiscovery: plain(boolean, 'Whether discovery needs CHAP.'),
			chapAuthSession: plain(boolean, 'Whether the session needs CHAP.'),
			secretRef,
			initiatorName: pointer(string, 'Name of the initiator.'),
		}),
		'An iSCSI disk.',
	),
	fc: optional(
		object('io.k8s.api.core.v1.FCVolumeSource', 'A Fibre Channel disk.', {
			targetWWNs: optional(list(string), 'World-wide names of the target.'),
			lun: optional(int32, 'Number of the unit.'),
			fsType,
			readOnly,
			wwids: optional(list(string), 'World-wide ids of the volume.'),
		}),
		'A Fibre Channel disk.',
	),
	flexVolume: optional(
		object('io.k8s.api.core.v1.FlexVolumeSource', 'Storage of a FlexVolume driver.', {
			driver: required(string, 'The driver.'),
			fsType,
			secretRef,
			readOnly,
			options: optional(map(string), 'Settings of the driver.'),
		}),
		'Storage of a FlexVolume driver.',
	),
	portworxVolume: optional(
		object('io.k8s.api.core.v1.PortworxVolumeSource', 'A Portworx volume.', {
			volumeID: required(string, 'Id of the volume.'),
			fsType,
			readOnly,
		}),
		'A Portworx volume.',
	),
	azureDisk: optional(
		object('io.k8s.api.core.v1.AzureDiskVolumeSource', 'An Azure disk.', {
			diskName: required(string, 'Name of the disk.'),
			diskURI: required(string, 'Where the disk is kept.'),
			cachingMode: pointer(string, 'None, ReadOnly or ReadWrite.'),
			fsType: pointer(string, 'The file system.'),
			readOnly: optional(boolean, 'Whether it can only be read.'),
			kind: pointer(string, 'Shared, Dedicated or Managed.'),
		}),
		'An Azure disk.',
	),
	azureFile: optional(
		object('io.k8s.api.core.v1.AzureFileVolumeSource', 'An Azure file share.', {
			secretName: required(string, 'The Secret with the account.'),
			shareName: required(string, 'Name of the share.'),
			readOnly,
		}),
		'An Azure file share.',
	),
	awsElasticBlockStore: optional(
		object('io.k8s.api.core.v1.AWSElasticBlockStoreVolumeSource', 'An AWS disk.', {
			volumeID: required(string, 'Id of the disk.'),
			fsType,
			partition,
			readOnly,
		}),
		'An AWS disk.',
	),
	gcePersistentDisk: optional(
		object('io.k8s.api.core.v1.GCEPersistentDiskVolumeSource', 'A Google disk.', {
			pdName: required(string, 'Name of the disk.'),
			fsType,
			partition,
			readOnly,
		}),
		'A Google disk.',
	),
	cinder: optional(
		object('io.k8s.api.core.v1.CinderVolumeSource', 'An OpenStack disk.', {
			volumeID: required(string, 'Id of the disk.'),
			fsType,
			readOnly,
			secretRef,
		}),
		'An OpenStack disk.',
	),
	vsphereVolume: optional(
		object('io.k8s.api.core.v1.VsphereVirtualDiskVolumeSource', 'A vSphere disk.', {
			volumePath: required(string, 'Path of the disk.'),
			fsType,
			storagePolicyName: optional(string, 'Name of the storage policy.'),
			storagePolicyID: optional(string, 'Id of the storage policy.'),
		}),
		'A vSphere disk.',
	),
	gitRepo: optional(
		object('io.k8s.api.core.v1.GitRepoVolumeSource', 'A copy of a git repository; no longer in use.', {
			repository: required(string, 'Where the repository is.'),
			revision: optional(string, 'The commit.'),
			directory: optional(string, 'The folder in the volume.'),
		}),
		'A git repository; no longer in use.',
	),
	glusterfs: optional(
		object('io.k8s.api.core.v1.GlusterfsVolumeSource', 'A Gluster volume; no longer in use.', {
			endpoints: required(string, 'The endpoints of the servers.'),
			path: required(string, 'The volume.'),
			readOnly,
		}),
		'A Gluster volume; no longer in use.',
	),
	rbd: optional(
		object('io.k8s.api.core.v1.RBDVolumeSource', 'A Ceph block device; no longer in use.', {
			monitors: required(list(string), 'The monitors.'),
			image: required(string, 'Name of the image.'),
			fsType,
			pool: optional(string, 'Name of the pool.'),
			user: optional(string, 'Name of the user.'),
			keyring: optional(string, 'File with the key of the user.'),
			secretRef,
			readOnly,
		}),
		'A Ceph block device; no longer in use.',
	),
	cephfs: optional(
		object('io.k8s.api.core.v1.CephFSVolumeSource', 'A Ceph file system; no longer in use.', {
			monitors: required(list(string), 'The monitors.'),
			path: optional(string, 'The folder in it.'),
			user: optional(string, 'Name of the user.'),
			secretFile: optional(string, 'File with the key of the user.'),
			secretRef,
			readOnly,
		}),
		'A Ceph file system; no longer in use.',
	),
	flocker: optional(
		object('io.k8s.api.core.v1.FlockerVolumeSource', 'A Flocker volume; no longer in use.', {
			datasetName: optional(string, 'Name of the dataset.'),
			datasetUUID: optional(string, 'Id of the dataset.'),
		}),
		'A Flocker volume; no longer in use.',
	),
	quobyte: optional(
		object('io.k8s.api.core.v1.QuobyteVolumeSource', 'A Quobyte volume; no longer in use.', {
			registry: required(string, 'Addresses of the registry.'),
			volume: required(string, 'Name of the volume.'),
			readOnly,
			user: optional(string, 'The user it is mounted as.'),
			group: optional(string, 'The group it is mounted as.'),
			tenant: optional(string, 'Who owns it.'),
		}),
		'A Quobyte volume; no longer in use.',
	),
	photonPersistentDisk: optional(
		object('io.k8s.api.core.v1.PhotonPersistentDiskVolumeSource', 'A Photon disk; no longer in use.', {
			pdID: required(string, 'Id of the disk.'),
			fsType,
		}),
		'A Photon disk; no longer in use.',
	),
	scaleIO: optional(
		object('io.k8s.api.core.v1.ScaleIOVolumeSource', 'A ScaleIO volume; no longer in use.', {
			gateway: required(string, 'Address of the gateway.'),
			system: required(string, 'Name of the system.'),
			secretRef,
			sslEnabled: plain(boolean, 'Whether the gateway is asked over TLS.'),
			protectionDomain: optional(string, 'Name of the protection domain.'),
			storagePool: optional(string, 'Name of the pool.'),
			storageMode: optional(string, 'ThickProvisioned or ThinProvisioned.'),
			volumeName: optional(string, 'Name of the volume.'),
			fsType,
			readOnly,
		}),
		'A ScaleIO volume; no longer in use.',
	),
	storageos: optional(
		object('io.k8s.api.core.v1.StorageOSVolumeSource', 'A StorageOS volume; no longer in use.', {
			volumeName: optional(string, 'Name of the volume.'),
			volumeNamespace: optional(string, 'Namespace of the volume.'),
			fsType,
			readOnly,
			secretRef,
		}),
		'A StorageOS volume; no longer in use.',
	),
};
