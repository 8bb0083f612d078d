/**
 * Validation of volume sources that belong to a single storage provider (upstream: `validateVolumeSource` in
 * pkg/apis/core/validation), in upstream's order. No runtime here mounts them, but the API server stores Pods
 * that have them, so it must refuse the same ones as upstream.
 */

import { isList } from '../../../../../base/json/json.ts';
import { fieldInvalid, fieldRequired, malformed, notSupported } from '../../../../errors/field-errors.ts';
import type { FieldError, FieldPath } from '../../../../errors/field-path.ts';
import { dns1123Label, exceeds, inRange } from '../../../../meta/names.ts';
import type { VOLUME_SOURCES, Volume } from '../../schema/volume.ts';
import { validateDescendingPath } from '../path.ts';

type Source = (typeof VOLUME_SOURCES)[number];

/** The required fields of each source; decoding accepts them empty, so validation has to check them. */
const REQUIRED_FIELDS: { readonly [K in Source]?: readonly string[] } = {
	persistentVolumeClaim: ['claimName'],
	nfs: ['server', 'path'],
	iscsi: ['targetPortal', 'iqn'],
	gitRepo: ['repository'],
	gcePersistentDisk: ['pdName'],
	awsElasticBlockStore: ['volumeID'],
	glusterfs: ['endpoints', 'path'],
	cinder: ['volumeID'],
	cephfs: ['monitors'],
	rbd: ['monitors', 'image'],
	flexVolume: ['driver'],
	azureFile: ['secretName', 'shareName'],
	azureDisk: ['diskName', 'diskURI'],
	vsphereVolume: ['volumePath'],
	photonPersistentDisk: ['pdID'],
	portworxVolume: ['volumeID'],
	scaleIO: ['gateway', 'system', 'volumeName'],
};

/** Validates the content of the volume's `source`, which is at `path`. */
export function validateProviderVolume(
	volume: Volume,
	source: Source,
	path: FieldPath,
): readonly FieldError[] {
	return [
		...missingFields({ ...volume[source] }, REQUIRED_FIELDS[source] ?? [], path),
		...validateContent(volume, source, path),
	];
}

/** An error for each of the required `fields` that is empty in `content`, which is at `path`. */
export function missingFields(
	content: Readonly<Record<string, unknown>>,
	fields: readonly string[],
	path: FieldPath,
): readonly FieldError[] {
	return fields.filter((field) => isEmpty(content[field])).map((field) => fieldRequired(path.child(field)));
}

/** Whether a required field was left out: decoding then sets it to the empty value of its type. */
function isEmpty(value: unknown): boolean {
	return isList(value) ? value.length === 0 : !value;
}

/** Rules beyond required fields. Sources without a case have none. */
function validateContent(volume: Volume, source: Source, path: FieldPath): readonly FieldError[] {
	const { nfs, gcePersistentDisk, awsElasticBlockStore, iscsi, fc, quobyte, flocker } = volume;
	const { gitRepo, cinder, flexVolume, azureDisk, storageos } = volume;
	switch (source) {
		case 'gitRepo':
			return validateDescendingPath(gitRepo?.directory ?? '', path.child('directory'));
		case 'cinder':
			return validateSecretRef(cinder?.secretRef, path);
		case 'flexVolume':
			return validateOptions(flexVolume?.options ?? {}, path.child('options'));
		case 'azureDisk':
			return azureDisk ? validateAzureDisk(azureDisk, path) : [];
		case 'storageos':
			return storageos ? validateStorageOs(storageos, path) : [];
		case 'nfs':
			return nfs?.path.startsWith('/')
				? []
				: [fieldInvalid(path.child('path'), nfs?.path, 'must be an absolute path')];
		case 'gcePersistentDisk':
			return validatePartition(gcePersistentDisk?.partition, path);
		case 'awsElasticBlockStore':
			return validatePartition(awsElasticBlockStore?.partition, path);
		case 'iscsi':
			return iscsi ? validateIscsi(iscsi, path) : [];
		case 'fc':
			return fc ? validateFibreChannel(fc, path) : [];
		case 'quobyte':
			return quobyte ? validateQuobyte(quobyte, path) : [];
		case 'flocker':
			return flocker ? validateFlocker(flocker, path) : [];
		default:
			return [];
	}
}

/** A reference to a Secret in the Pod's namespace: only its name is required. */
function validateSecretRef(
	secret: { readonly name?: string } | undefined,
	path: FieldPath,
): readonly FieldError[] {
	return secret && !secret.name ? [fieldRequired(path.child('secretRef', 'name'))] : [];
}

/**
 * Refuses options under the domains of Kubernetes, which the kubelet uses for its own options to the driver.
 */
export function validateOptions(
	options: Readonly<Record<string, string>>,
	path: FieldPath,
): readonly FieldError[] {
	const reserved = Object.keys(options).filter((key) => {
		const [domain = ''] = key.split('/', 1);
		return /(?:^|\.)(?:kubernetes|k8s)\.io$/.test(domain.toLowerCase());
	});
	return reserved.map((key) =>
		fieldInvalid(path.key(key), key, 'kubernetes.io and k8s.io namespaces are reserved'),
	);
}

/** Sorted, as upstream's `validateAzureDisk` lists them; the forms of diskURI are its texts. */
const CACHING_MODES = ['None', 'ReadOnly', 'ReadWrite'];
const DISK_KINDS = ['Dedicated', 'Managed', 'Shared'];
const MANAGED_DISK_FORM =
	'/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}';
const BLOB_DISK_FORM = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd';

/**
 * The form of diskURI depends on the kind: a managed disk has a resource id, others have the URL of a blob.
 */
function validateAzureDisk(
	{ cachingMode, kind, diskURI }: NonNullable<Volume['azureDisk']>,
	path: FieldPath,
): readonly FieldError[] {
	const errors: FieldError[] = [];
	if (cachingMode !== undefined && !CACHING_MODES.includes(cachingMode)) {
		errors.push(notSupported(path.child('cachingMode'), cachingMode, CACHING_MODES));
	}
	if (kind === undefined) return errors;
	if (!DISK_KINDS.includes(kind)) errors.push(notSupported(path.child('kind'), kind, DISK_KINDS));
	const [start, form] =
		kind === 'Managed' ? ['/subscriptions/', MANAGED_DISK_FORM] : ['https://', BLOB_DISK_FORM];
	if (!diskURI.startsWith(start)) errors.push(notSupported(path.child('diskURI'), diskURI, [form]));
	return errors;
}

/** Upstream: `validateStorageOSVolumeSource`. Volume and namespace are StorageOS' own, and are DNS labels. */
function validateStorageOs(
	{ volumeName = '', volumeNamespace = '', secretRef }: NonNullable<Volume['storageos']>,
	path: FieldPath,
): readonly FieldError[] {
	const name = path.child('volumeName');
	const namespace = path.child('volumeNamespace');
	return [
		...(volumeName === '' ? [fieldRequired(name)] : malformed(name, volumeName, dns1123Label(volumeName))),
		...(volumeNamespace === '' ? [] : malformed(namespace, volumeNamespace, dns1123Label(volumeNamespace))),
		...validateSecretRef(secretRef, path),
	];
}

/** Upstream's message. It is inexact: 0, which stands for the whole disk, is accepted too. */
const PARTITION_DETAIL = 'must be between 1 and 255, inclusive';

function validatePartition(partition = 0, path: FieldPath): readonly FieldError[] {
	if (partition >= 0 && partition <= 255) return [];
	return [fieldInvalid(path.child('partition'), partition, PARTITION_DETAIL)];
}

/** Refuses the number of a logical unit of a disk outside the range of SCSI, 0 to 255. */
export function validateUnit(lun: number, path: FieldPath): readonly FieldError[] {
	return inRange(lun, 0, 255).map((problem) => fieldInvalid(path.child('lun'), lun, problem));
}

/** The three forms of RFC 3720. Upstream's dots match any character, so ours do. */
const ISCSI_NAMES: Readonly<Record<string, RegExp>> = {
	iqn: /^iqn\.\d{4}-\d{2}\.[A-Za-z0-9.-]+:[^,;*&$|\s]+$/,
	eui: /^eui.[A-Za-z0-9]{16}$/,
	naa: /^naa.[A-Za-z0-9]{32}$/,
};

/** The problems of the name of an iSCSI target or initiator (upstream: `validateISCSIVolumeSource`). */
export function iscsiNameProblems(name: string): readonly string[] {
	const form = ISCSI_NAMES[name.slice(0, 3)];
	if (!form) return ['must be valid format starting with iqn, eui, or naa'];
	return form.test(name) ? [] : ['must be valid format'];
}

/**
 * CHAP authentication needs a Secret with the credentials. Upstream reports initiatorName with a lower-case
 * n.
 */
function validateIscsi(iscsi: NonNullable<Volume['iscsi']>, path: FieldPath): readonly FieldError[] {
	const { iqn, lun, chapAuthDiscovery, chapAuthSession, secretRef, initiatorName } = iscsi;
	const errors: FieldError[] = [];
	if (iqn !== '') errors.push(...malformed(path.child('iqn'), iqn, iscsiNameProblems(iqn)));
	errors.push(...validateUnit(lun, path));
	if ((chapAuthDiscovery || chapAuthSession) && !secretRef)
		errors.push(fieldRequired(path.child('secretRef')));
	if (initiatorName === undefined) return errors;
	return [
		...errors,
		...malformed(path.child('initiatorname'), initiatorName, iscsiNameProblems(initiatorName)),
	];
}

/** Limit on `<name>:<portal>` if the initiator has a name: the node names an iSCSI interface after both. */
const MAX_INTERFACE_LENGTH = 64;

/** Validates the name, at `path`, of a volume whose source is iSCSI. */
export function validateIscsiName({ name, iscsi }: Volume, path: FieldPath): readonly FieldError[] {
	const { initiatorName, targetPortal = '' } = iscsi ?? {};
	if (initiatorName === undefined || !isInterfaceNameTooLong(name, targetPortal)) return [];
	return [fieldInvalid(path, name, INTERFACE_NAME_DETAIL)];
}

/** Upstream's text for an iSCSI volume whose name and portal are too long together. */
export const INTERFACE_NAME_DETAIL =
	'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.';

/** Whether the interface that a node names after the volume and its portal would have too long a name. */
export function isInterfaceNameTooLong(volumeName: string, targetPortal: string): boolean {
	return exceeds(`${volumeName}:${targetPortal}`, MAX_INTERFACE_LENGTH);
}

/** A Fibre Channel disk is identified either by targetWWNs and lun, or by wwids alone. */
function validateFibreChannel(
	{ targetWWNs = [], wwids = [], lun }: NonNullable<Volume['fc']>,
	path: FieldPath,
): readonly FieldError[] {
	const at = path.child('targetWWNs');
	if (targetWWNs.length === 0) {
		return wwids.length > 0
			? []
			: [fieldRequired(at, 'must specify either targetWWNs or wwids, but not both')];
	}
	const errors: FieldError[] = [];
	if (wwids.length > 0) {
		errors.push(fieldInvalid(at, targetWWNs, 'targetWWNs and wwids can not be specified simultaneously'));
	}
	if (lun !== undefined) return [...errors, ...validateUnit(lun, path)];
	return [...errors, fieldRequired(path.child('lun'), 'lun is required if targetWWNs is specified')];
}

/** Upstream: `validateQuobyteVolumeSource`; a pair is what Go's `net.SplitHostPort` accepts. */
const REGISTRY_DETAIL = 'must be a host:port pair or multiple pairs separated by commas';

/** The volume is checked last, also after a missing registry. */
function validateQuobyte(quobyte: NonNullable<Volume['quobyte']>, path: FieldPath): readonly FieldError[] {
	const missing = quobyte.volume === '' ? [fieldRequired(path.child('volume'))] : [];
	return [...validateRegistry(quobyte, path), ...missing];
}

/**
 * Upstream validates the tenant only if the registry is set, and reports a tenant that is too long as a
 * missing value.
 */
function validateRegistry(
	{ registry, tenant = '' }: NonNullable<Volume['quobyte']>,
	path: FieldPath,
): readonly FieldError[] {
	const at = path.child('registry');
	if (registry === '') return [fieldRequired(at, REGISTRY_DETAIL)];
	if (exceeds(tenant, 64)) {
		const detail = 'must be a UUID and may not exceed a length of 64 characters';
		return [fieldRequired(path.child('tenant'), detail)];
	}
	const wrong = registry.split(',').filter((pair) => !/^(?:\[[^[\]]*\]|[^[\]:]*):[^[\]:]*$/.test(pair));
	return wrong.map(() => fieldInvalid(at, registry, REGISTRY_DETAIL));
}

/** A dataset is identified either by its name or by its UUID. */
function validateFlocker(
	{ datasetName = '', datasetUUID = '' }: NonNullable<Volume['flocker']>,
	path: FieldPath,
): readonly FieldError[] {
	const errors: FieldError[] = [];
	if (datasetName === '' && datasetUUID === '') {
		errors.push(fieldRequired(path, 'one of datasetName and datasetUUID is required'));
	}
	if (datasetName !== '' && datasetUUID !== '') {
		const detail = 'datasetName and datasetUUID can not be specified simultaneously';
		errors.push(fieldInvalid(path, 'resource', detail));
	}
	if (datasetName.includes('/')) {
		errors.push(fieldInvalid(path.child('datasetName'), datasetName, "must not contain '/'"));
	}
	return errors;
}
