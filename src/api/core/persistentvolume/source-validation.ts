/**
 * Validation of the source of a PersistentVolume: the first one that is set, by its own rules; any further one
 * is an error (upstream: `ValidatePersistentVolumeSpec`). Sources that a Pod's volume has too are validated by
 * the Pod's rules.
 */

import {
	fieldForbidden,
	fieldInvalid,
	fieldRequired,
	malformed,
	tooLong,
} from '../../errors/field-errors.ts';
import type { FieldError, FieldPath } from '../../errors/field-path.ts';
import { dns1123Label, dns1123Subdomain, exceeds } from '../../meta/names.ts';
import { validateNoBacksteps } from '../pod/validation/path.ts';
import {
	INTERFACE_NAME_DETAIL,
	iscsiNameProblems,
	isInterfaceNameTooLong,
	missingFields,
	validateOptions,
	validateProviderVolume,
	validateUnit,
} from '../pod/validation/volumes/provider-volume.ts';
import { validateHostPath } from '../pod/validation/volumes/volume.ts';
import type { PersistentVolumeSpec } from './schema.ts';

/** The sources in the order in which upstream validates them. */
export const PERSISTENT_SOURCES = [
	'hostPath',
	'gcePersistentDisk',
	'awsElasticBlockStore',
	'glusterfs',
	'flocker',
	'nfs',
	'rbd',
	'quobyte',
	'cephfs',
	'iscsi',
	'cinder',
	'fc',
	'flexVolume',
	'azureFile',
	'vsphereVolume',
	'photonPersistentDisk',
	'portworxVolume',
	'azureDisk',
	'scaleIO',
	'local',
	'storageos',
	'csi',
] as const;

type Source = (typeof PERSISTENT_SOURCES)[number];

/** Fields that decoding accepts empty, of the sources whose type is not that of a Pod's volume. */
const REQUIRED_FIELDS: { readonly [K in Source]?: readonly string[] } = {
	glusterfs: ['endpoints', 'path'],
	rbd: ['monitors', 'image'],
	cephfs: ['monitors'],
	iscsi: ['targetPortal', 'iqn'],
	cinder: ['volumeID'],
	flexVolume: ['driver'],
	azureFile: ['secretName', 'shareName'],
	scaleIO: ['gateway', 'system', 'volumeName'],
	storageos: ['volumeName'],
	csi: ['driver', 'volumeHandle'],
};

/** Validates the source of the spec, which is at `path`. `name` is that of the volume. */
export function validatePersistentSource(
	spec: PersistentVolumeSpec,
	name: string,
	path: FieldPath,
): readonly FieldError[] {
	const set = PERSISTENT_SOURCES.filter((source) => spec[source] !== undefined);
	const [first] = set;
	if (first === undefined) return [fieldRequired(path, 'must specify a volume type')];
	return set.flatMap((source) => {
		// As upstream: a flexVolume is never counted as the second source.
		if (source !== first && source !== 'flexVolume') {
			const at = path.child(source === 'cephfs' ? 'cephFS' : source);
			return [fieldForbidden(at, 'may not specify more than 1 volume type')];
		}
		const at = path.child(source === 'gcePersistentDisk' ? 'persistentDisk' : source);
		return [
			...missingFields({ ...spec[source] }, REQUIRED_FIELDS[source] ?? [], at),
			...validateContent(spec, { source, name, path: at }),
		];
	});
}

interface Place {
	readonly source: Source;
	/** The name of the volume. */
	readonly name: string;
	/** The path of the source. */
	readonly path: FieldPath;
}

function validateContent(spec: PersistentVolumeSpec, { source, name, path }: Place): readonly FieldError[] {
	const { hostPath, local, glusterfs, iscsi, cinder, storageos, flexVolume, azureFile, csi, ...others } =
		spec;
	const { rbd: _rbd, cephfs: _cephfs, scaleIO: _scaleIO, ...shared } = others;
	switch (source) {
		case 'hostPath':
			return hostPath ? validateHostPath(hostPath, path) : [];
		case 'local':
			return local ? validateLocal(local.path, path.child('path')) : [];
		case 'glusterfs':
			return validateEndpointsNamespace(glusterfs?.endpointsNamespace, path.child('endpointsNamespace'));
		case 'iscsi':
			return iscsi ? validateIscsiVolume(iscsi, name, path) : [];
		case 'cinder':
			return validatePresence(cinder?.secretRef, path.child('secretRef'));
		case 'storageos':
			return storageos ? validateStorageOsVolume(storageos, path) : [];
		case 'flexVolume':
			return validateOptions(flexVolume?.options ?? {}, path.child('options'));
		case 'azureFile':
			return azureFile?.secretNamespace === '' ? [fieldRequired(path.child('secretNamespace'))] : [];
		case 'csi':
			return csi ? validateCsiVolume(csi, path) : [];
		case 'rbd':
		case 'cephfs':
		case 'scaleIO':
			return [];
		default:
			return validateProviderVolume({ name, ...shared }, source, path);
	}
}

function validateLocal(path: string, at: FieldPath): readonly FieldError[] {
	return path === '' ? [fieldRequired(at)] : validateNoBacksteps(path, at);
}

function validateEndpointsNamespace(namespace: string | undefined, path: FieldPath): readonly FieldError[] {
	if (namespace === undefined) return [];
	if (namespace !== '') return malformed(path, namespace, dns1123Label(namespace));
	return [fieldInvalid(path, '', 'if the endpointnamespace is set, it must be a valid namespace name')];
}

type SecretReference = { readonly name?: string; readonly namespace?: string };

/** A reference to a Secret must name it and its namespace: a PersistentVolume has none itself. */
function validatePresence(secret: SecretReference | undefined, path: FieldPath): readonly FieldError[] {
	if (!secret) return [];
	return [
		...(secret.name ? [] : [fieldRequired(path.child('name'))]),
		...(secret.namespace ? [] : [fieldRequired(path.child('namespace'))]),
	];
}

function validateStorageOsVolume(
	{ volumeName = '', volumeNamespace = '', secretRef }: NonNullable<PersistentVolumeSpec['storageos']>,
	path: FieldPath,
): readonly FieldError[] {
	const namespace = path.child('volumeNamespace');
	return [
		...(volumeName === '' ? [] : malformed(path.child('volumeName'), volumeName, dns1123Label(volumeName))),
		...(volumeNamespace === '' ? [] : malformed(namespace, volumeNamespace, dns1123Label(volumeNamespace))),
		...validatePresence(secretRef, path.child('secretRef')),
	];
}

/** The rules differ from those of a Pod's volume in paths and texts, as upstream's do. */
function validateIscsiVolume(
	iscsi: NonNullable<PersistentVolumeSpec['iscsi']>,
	name: string,
	path: FieldPath,
): readonly FieldError[] {
	const { targetPortal, iqn, lun, chapAuthDiscovery, chapAuthSession, secretRef, initiatorName } = iscsi;
	const isWrong = (text: string): boolean => iscsiNameProblems(text).length > 0;
	const secret = path.child('secretRef');
	const errors: FieldError[] = [];
	if (initiatorName !== undefined && isInterfaceNameTooLong(name, targetPortal)) {
		errors.push(fieldInvalid(path.child('targetportal'), targetPortal, INTERFACE_NAME_DETAIL));
	}
	if (iqn !== '' && isWrong(iqn)) errors.push(fieldInvalid(path.child('iqn'), iqn, 'must be valid format'));
	errors.push(...validateUnit(lun, path));
	if ((chapAuthDiscovery || chapAuthSession) && !secretRef) errors.push(fieldRequired(secret));
	if (secretRef && !secretRef.name) errors.push(fieldRequired(secret.child('name')));
	if (initiatorName !== undefined && isWrong(initiatorName)) {
		errors.push(fieldInvalid(path.child('initiatorname'), initiatorName, 'must be valid format'));
	}
	return errors;
}

const CSI_SECRETS = [
	'controllerPublishSecretRef',
	'controllerExpandSecretRef',
	'nodePublishSecretRef',
	'nodeExpandSecretRef',
] as const;
const MAX_DRIVER_LENGTH = 63;

/** As upstream, nodeStageSecretRef is not validated. */
function validateCsiVolume(
	csi: NonNullable<PersistentVolumeSpec['csi']>,
	path: FieldPath,
): readonly FieldError[] {
	const { driver } = csi;
	const at = path.child('driver');
	const errors: FieldError[] = [];
	if (exceeds(driver, MAX_DRIVER_LENGTH)) errors.push(tooLong(at, MAX_DRIVER_LENGTH));
	if (driver !== '') errors.push(...malformed(at, driver, dns1123Subdomain(driver.toLowerCase())));
	for (const field of CSI_SECRETS) {
		const secret = csi[field];
		if (!secret) continue;
		const { name = '', namespace = '' } = secret;
		errors.push(...validatePresence(secret, path.child(field)));
		if (name !== '') errors.push(...malformed(path.child(field, 'name'), name, dns1123Subdomain(name)));
		if (namespace === '') continue;
		errors.push(...malformed(path.child(field, 'namespace'), namespace, dns1123Label(namespace)));
	}
	return errors;
}
