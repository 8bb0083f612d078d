import type { FieldError, FieldPath } from '../../meta/field.ts';
import { invalid, malformed, required } from '../../meta/field-errors.ts';
import { inRange } from '../../meta/names.ts';
import type { VOLUME_SOURCES, Volume } from './volume-schema.ts';

/**
 * What is wrong with volumes of single providers, which no runtime here mounts: upstream checks them before a Pod
 * is stored. Of those that are no longer in use (azureDisk, flexVolume, gitRepo, scaleIO, storageos and the like)
 * only the fields that they cannot do without are checked.
 */

type Source = (typeof VOLUME_SOURCES)[number];

/** The fields that a source cannot do without, though decoding takes them empty. */
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
	quobyte: ['volume'],
	flexVolume: ['driver'],
	azureFile: ['secretName', 'shareName'],
	azureDisk: ['diskName', 'diskURI'],
	vsphereVolume: ['volumePath'],
	photonPersistentDisk: ['pdID'],
	portworxVolume: ['volumeID'],
	scaleIO: ['gateway', 'system', 'volumeName'],
};

/** Validates the content of the volume's `source`, which stands at `path`. */
export function validateProviderVolume(
	volume: Volume,
	source: Source,
	path: FieldPath,
): readonly FieldError[] {
	const content: Readonly<Record<string, unknown>> = { ...volume[source] };
	const missing = (REQUIRED_FIELDS[source] ?? []).filter((field) => isEmpty(content[field]));
	return [...missing.map((field) => required(path.child(field))), ...validateContent(volume, source, path)];
}

/** Decoding gives a required text or list that was left out its empty value. */
function isEmpty(value: unknown): boolean {
	return Array.isArray(value) ? value.length === 0 : !value;
}

function validateContent(volume: Volume, source: Source, path: FieldPath): readonly FieldError[] {
	const { nfs, gcePersistentDisk, awsElasticBlockStore, iscsi, fc, quobyte, flocker } = volume;
	switch (source) {
		case 'nfs':
			return nfs?.path.startsWith('/')
				? []
				: [invalid(path.child('path'), nfs?.path, 'must be an absolute path')];
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

/** As upstream says it, though 0, which is the whole disk, is taken. */
const PARTITION_DETAIL = 'must be between 1 and 255, inclusive';

function validatePartition(partition = 0, path: FieldPath): readonly FieldError[] {
	if (partition >= 0 && partition <= 255) return [];
	return [invalid(path.child('partition'), partition, PARTITION_DETAIL)];
}

function validateUnit(lun: number, path: FieldPath): readonly FieldError[] {
	return inRange(lun, 0, 255).map((problem) => invalid(path.child('lun'), lun, problem));
}

const ISCSI_NAMES: Readonly<Record<string, RegExp>> = {
	iqn: /^iqn\.\d{4}-\d{2}\.[A-Za-z0-9.-]+:[^,;*&$|\s]+$/,
	eui: /^eui.[A-Za-z0-9]{16}$/,
	naa: /^naa.[A-Za-z0-9]{32}$/,
};

function iscsiNameProblems(name: string): readonly string[] {
	const form = ISCSI_NAMES[name.slice(0, 3)];
	if (!form) return ['must be valid format starting with iqn, eui, or naa'];
	return form.test(name) ? [] : ['must be valid format'];
}

function validateIscsi(iscsi: NonNullable<Volume['iscsi']>, path: FieldPath): readonly FieldError[] {
	const { iqn, lun, chapAuthDiscovery, chapAuthSession, secretRef, initiatorName } = iscsi;
	const errors: FieldError[] = [];
	if (iqn !== '') errors.push(...malformed(path.child('iqn'), iqn, iscsiNameProblems(iqn)));
	errors.push(...validateUnit(lun, path));
	if ((chapAuthDiscovery || chapAuthSession) && !secretRef) errors.push(required(path.child('secretRef')));
	if (initiatorName === undefined) return errors;
	return [
		...errors,
		...malformed(path.child('initiatorname'), initiatorName, iscsiNameProblems(initiatorName)),
	];
}

function validateFibreChannel(
	{ targetWWNs = [], wwids = [], lun }: NonNullable<Volume['fc']>,
	path: FieldPath,
): readonly FieldError[] {
	const at = path.child('targetWWNs');
	if (targetWWNs.length === 0) {
		return wwids.length > 0 ? [] : [required(at, 'must specify either targetWWNs or wwids, but not both')];
	}
	const errors: FieldError[] = [];
	if (wwids.length > 0) {
		errors.push(invalid(at, targetWWNs, 'targetWWNs and wwids can not be specified simultaneously'));
	}
	if (lun !== undefined) return [...errors, ...validateUnit(lun, path)];
	return [...errors, required(path.child('lun'), 'lun is required if targetWWNs is specified')];
}

const REGISTRY_DETAIL = 'must be a host:port pair or multiple pairs separated by commas';

function validateQuobyte(
	{ registry, tenant = '' }: NonNullable<Volume['quobyte']>,
	path: FieldPath,
): readonly FieldError[] {
	const at = path.child('registry');
	if (registry === '') return [required(at, REGISTRY_DETAIL)];
	if (tenant.length >= 65) {
		const detail = 'must be a UUID and may not exceed a length of 64 characters';
		return [required(path.child('tenant'), detail)];
	}
	const wrong = registry.split(',').filter((pair) => !/^(?:\[[^[\]]*\]|[^[\]:]*):[^[\]:]*$/.test(pair));
	return wrong.map(() => invalid(at, registry, REGISTRY_DETAIL));
}

function validateFlocker(
	{ datasetName = '', datasetUUID = '' }: NonNullable<Volume['flocker']>,
	path: FieldPath,
): readonly FieldError[] {
	const errors: FieldError[] = [];
	if (datasetName === '' && datasetUUID === '') {
		errors.push(required(path, 'one of datasetName and datasetUUID is required'));
	}
	if (datasetName !== '' && datasetUUID !== '') {
		const detail = 'datasetName and datasetUUID can not be specified simultaneously';
		errors.push(invalid(path, 'resource', detail));
	}
	if (datasetName.includes('/')) {
		errors.push(invalid(path.child('datasetName'), datasetName, "must not contain '/'"));
	}
	return errors;
}
