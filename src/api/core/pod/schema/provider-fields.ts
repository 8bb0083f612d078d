/**
 * The fields of the sources of volumes that a Pod and a PersistentVolume have in common. Upstream has two types for
 * each of these sources, whose references to a Secret differ: that of a PersistentVolume names a namespace too.
 */

import {
	boolean,
	type Field,
	int32,
	list,
	map,
	nullable,
	omitZero,
	optional,
	required,
	type Schema,
	string,
} from '../../../schema/schema.ts';

/** If true, the source is mounted read-only. */
export const sourceReadOnly = omitZero(boolean, 'If true, the volume is read-only. Default false.');

/** The type of the file system on the source. */
export const sourceFsType = optional(
	string,
	"Type of the file system, such as ext4. Default: the driver's choice.",
);

/** The Secret of a source, by a reference of this type. */
export function sourceSecret<R>(reference: Schema<R>): Field<R, false> {
	return optional(reference, 'Secret with the credentials for the storage provider.');
}

type SecretField<R> = Field<R, false>;

const [readOnly, fsType] = [sourceReadOnly, sourceFsType];

/** Of a disk that an iSCSI target provides. */
export const iscsiFields = <R>(secretRef: SecretField<R>) => ({
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
	chapAuthDiscovery: omitZero(
		boolean,
		'If true, discovery is authenticated by CHAP; requires secretRef. Default false.',
	),
	chapAuthSession: omitZero(
		boolean,
		'If true, the session is authenticated by CHAP; requires secretRef. Default false.',
	),
	secretRef,
	initiatorName: nullable(string, 'Name of the iSCSI initiator. Default: that of the node.'),
});

/** Of a volume that a FlexVolume driver provides. */
export const flexVolumeFields = <R>(secretRef: SecretField<R>) => ({
	driver: required(string, 'Name of the FlexVolume driver.'),
	fsType,
	secretRef,
	readOnly,
	options: optional(
		map(string),
		'Settings for the driver, by name. Names under kubernetes.io and k8s.io are reserved.',
	),
});

/** Of a file share of Azure. */
export const azureFileFields = {
	secretName: required(string, 'Name of the Secret with the name and key of the storage account.'),
	shareName: required(string, 'Name of the file share.'),
	readOnly,
};

/** Of a volume of OpenStack. */
export const cinderFields = <R>(secretRef: SecretField<R>) => ({
	volumeID: required(string, 'Identifier of the volume in Cinder.'),
	fsType,
	readOnly,
	secretRef,
});

/** Of a Glusterfs volume. */
export const glusterfsFields = {
	endpoints: required(string, 'Name of the Endpoints with the addresses of the servers.'),
	path: required(string, 'Name of the Glusterfs volume.'),
	readOnly,
};

/** Of a block device of Ceph. */
export const rbdFields = <R>(secretRef: SecretField<R>) => ({
	monitors: required(list(string), 'Addresses of the Ceph monitors.'),
	image: required(string, 'Name of the RBD image.'),
	fsType,
	pool: optional(string, 'Name of the RADOS pool. Default rbd.'),
	user: optional(string, 'Name of the RADOS user. Default admin.'),
	keyring: optional(string, "Path of the user's keyring. Default /etc/ceph/keyring."),
	secretRef,
	readOnly,
});

/** Of a Ceph file system. */
export const cephfsFields = <R>(secretRef: SecretField<R>) => ({
	monitors: required(list(string), 'Addresses of the Ceph monitors.'),
	path: optional(string, 'Directory of the file system to mount. Default /.'),
	user: optional(string, 'Name of the RADOS user. Default admin.'),
	secretFile: optional(string, "Path of the user's keyring. Default /etc/ceph/user.secret."),
	secretRef,
	readOnly,
});

/** Of a ScaleIO volume. */
export const scaleIOFields = <R>(secretRef: SecretField<R>) => ({
	gateway: required(string, 'Address of the ScaleIO API gateway.'),
	system: required(string, 'Name of the ScaleIO system.'),
	secretRef,
	sslEnabled: omitZero(boolean, 'If true, connections to the gateway use TLS. Default false.'),
	protectionDomain: optional(string, 'Name of the protection domain.'),
	storagePool: optional(string, 'Name of the storage pool in the protection domain.'),
	storageMode: optional(
		string,
		'Provisioning of the storage: ThickProvisioned or ThinProvisioned (the default).',
	),
	volumeName: optional(string, 'Name of the ScaleIO volume.'),
	fsType,
	readOnly,
});
