import {
	chosen,
	duplicate,
	fieldForbidden,
	fieldInvalid,
	fieldRequired,
	malformed,
	notSupported,
	tooLong,
} from '../../../errors/field-errors.ts';
import type { FieldError, FieldPath } from '../../../errors/field-path.ts';
import { dns1123Label, dns1123Subdomain, exceeds } from '../../../meta/names.ts';
import { compareQuantities } from '../../../meta/quantity.ts';
import type { VolumeProjection } from '../schema/projected-volume.ts';
import type { Volume } from '../schema/volume.ts';
import { VOLUME_SOURCES } from '../schema/volume.ts';
import { validateClaimSpec } from './claim-spec.ts';
import { FILE_FIELDS, validateFieldRef, validateResourceFieldRef } from './env.ts';
import { validateFileInVolume, validateNoBacksteps } from './path.ts';
import { validateIscsiName, validateProviderVolume } from './provider-volume.ts';

/**
 * Validation of the volumes of a Pod: their names and sources. Rules and messages are those of upstream's
 * `ValidateVolumes` in pkg/apis/core/validation, including its misspelt paths. The sources of single storage
 * providers are in `provider-volume.ts`.
 */

/** The errors of all volumes, and the valid volumes by name, which are those that mounts can refer to. */
export interface ValidatedVolumes {
	readonly errors: readonly FieldError[];
	readonly valid: ReadonlyMap<string, Volume>;
}

/**
 * Validates the volumes of a Pod or template. Each mount of an invalid volume is a further error, as
 * upstream.
 */
export function validateVolumes(
	volumes: readonly Volume[],
	path: FieldPath,
	of: 'pod' | 'template',
): ValidatedVolumes {
	const errors: FieldError[] = [];
	const valid = new Map<string, Volume>();
	for (const [index, volume] of volumes.entries()) {
		const at = path.index(index);
		const { name } = volume;
		const found = [...validateSource(volume, at, of)];
		if (name === '') found.push(fieldRequired(at.child('name')));
		else found.push(...malformed(at.child('name'), name, dns1123Label(name)));
		if (valid.has(name)) found.push(duplicate(at.child('name'), name));
		if (found.length === 0) valid.set(name, volume);
		errors.push(...found);
	}
	return { errors, valid };
}

type Source = (typeof VOLUME_SOURCES)[number];

/** The paths of upstream's errors about a second source, where they differ from the name of the field. */
const SECOND_SOURCE_NAMES: { readonly [K in Source]?: string } = {
	cephfs: 'cephFS',
	downwardAPI: 'downwarAPI',
};

/**
 * Validates the source of a volume: the first one that is set, by its own rules; any further one is an error.
 */
function validateSource(volume: Volume, path: FieldPath, of: 'pod' | 'template'): readonly FieldError[] {
	const [first, ...others] = VOLUME_SOURCES.filter((source) => volume[source] !== undefined);
	if (first === undefined) return [fieldRequired(path, 'must specify a volume type')];
	const at = path.child(first === 'gcePersistentDisk' ? 'persistentDisk' : first);
	const refusals = others.map((source) =>
		fieldForbidden(
			path.child(SECOND_SOURCE_NAMES[source] ?? source),
			'may not specify more than 1 volume type',
		),
	);
	// A template can leave out the image: a controller may set it in the Pods that it creates from the template.
	const lacksImage = of === 'pod' && first === 'image' && !volume.image?.reference;
	return [
		...(lacksImage ? [fieldRequired(at.child('reference'))] : []),
		...validateContent(volume, first, at),
		...validateIscsiName(volume, path.child('name')),
		...refusals,
	];
}

function validateContent(volume: Volume, source: Source, path: FieldPath): readonly FieldError[] {
	const { emptyDir, hostPath, secret, configMap, downwardAPI, projected, csi, ephemeral, image } = volume;
	if (source === 'emptyDir') return validateSizeLimit(emptyDir?.sizeLimit, path);
	if (source === 'hostPath' && hostPath) return validateHostPath(hostPath, path);
	if (source === 'secret' && secret) return validateFiles(secret, 'secretName', path);
	if (source === 'configMap' && configMap) return validateFiles(configMap, 'name', path);
	if (source === 'downwardAPI' && downwardAPI) {
		const files = downwardAPI.items ?? [];
		return [
			...validateMode(downwardAPI.defaultMode, path.child('defaultMode')),
			...files.flatMap((file) => validateDownwardFile(file, path)),
		];
	}
	if (source === 'projected' && projected) return validateProjected(projected, path);
	if (source === 'csi' && csi) return validateCsi(csi, path);
	if (source === 'ephemeral' && ephemeral) return validateEphemeral(ephemeral, path);
	if (source === 'image') {
		return chosen(path.child('pullPolicy'), image?.pullPolicy, ['Always', 'IfNotPresent', 'Never']);
	}
	return validateProviderVolume(volume, source, path);
}

function validateSizeLimit(limit: string | undefined, path: FieldPath): readonly FieldError[] {
	if (limit === undefined || compareQuantities(limit, '0') >= 0) return [];
	return [fieldForbidden(path.child('sizeLimit'), 'SizeLimit field must be a valid resource quantity')];
}

const HOST_PATH_TYPES = [
	'',
	...['BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket'],
];

/** Refuses `..` in the path, which could escape from directories that a policy allows. */
export function validateHostPath(
	hostPath: NonNullable<Volume['hostPath']>,
	path: FieldPath,
): readonly FieldError[] {
	if (hostPath.path === '') return [fieldRequired(path.child('path'))];
	const { type = '' } = hostPath;
	return [
		...validateNoBacksteps(hostPath.path, path.child('path')),
		...(HOST_PATH_TYPES.includes(type) ? [] : [notSupported(path.child('type'), type, HOST_PATH_TYPES)]),
	];
}

const MODE_DETAIL = 'must be a number between 0 and 0777 (octal), both inclusive';

function validateMode(mode: number | undefined, path: FieldPath): readonly FieldError[] {
	return mode === undefined || (mode >= 0 && mode <= 0o777) ? [] : [fieldInvalid(path, mode, MODE_DETAIL)];
}

type KeyToPath = NonNullable<NonNullable<Volume['secret']>['items']>[number];

function validateFiles(
	source: NonNullable<Volume['secret']> & NonNullable<Volume['configMap']>,
	nameField: 'secretName' | 'name',
	path: FieldPath,
): readonly FieldError[] {
	return [
		...(source[nameField] ? [] : [fieldRequired(path.child(nameField))]),
		...validateMode(source.defaultMode, path.child('defaultMode')),
		...validateItems(source.items ?? [], path.child('items')),
	];
}

/** Keys and paths of ConfigMap and Secret items. Duplicate paths are refused only in projected volumes. */
function validateItems(items: readonly KeyToPath[], path: FieldPath): readonly FieldError[] {
	return items.flatMap(({ key, path: file, mode }, index) => {
		const at = path.index(index);
		return [
			...(key === '' ? [fieldRequired(at.child('key'))] : []),
			...(file === '' ? [fieldRequired(at.child('path'))] : []),
			...validateFileInVolume(file, at.child('path')),
			...validateMode(mode, at.child('mode')),
		];
	});
}

type DownwardFile = NonNullable<NonNullable<Volume['downwardAPI']>['items']>[number];

function validateDownwardFile(file: DownwardFile, path: FieldPath): readonly FieldError[] {
	const { fieldRef, resourceFieldRef } = file;
	const errors: FieldError[] = [];
	if (file.path === '') errors.push(fieldRequired(path.child('path')));
	errors.push(...validateFileInVolume(file.path, path.child('path')));
	if (fieldRef) {
		errors.push(...validateFieldRef(fieldRef, FILE_FIELDS, path.child('fieldRef')));
		if (resourceFieldRef) {
			const detail = 'fieldRef and resourceFieldRef can not be specified simultaneously';
			errors.push(fieldInvalid(path, 'resource', detail));
		}
	} else if (resourceFieldRef) {
		errors.push(...validateResourceFieldRef(resourceFieldRef, 'file', path.child('resourceFieldRef')));
	} else {
		errors.push(fieldRequired(path, 'one of fieldRef and resourceFieldRef is required'));
	}
	return [...errors, ...validateMode(file.mode, path.child('mode'))];
}

/** Two sources must not write the same file: which one wins would depend on their order. */
function validateProjected(
	{ defaultMode, sources = [] }: NonNullable<Volume['projected']>,
	path: FieldPath,
): readonly FieldError[] {
	const errors = [...validateMode(defaultMode, path.child('defaultMode'))];
	const taken = new Set<string>();
	for (const [index, source] of sources.entries()) {
		const at = path.child('sources').index(index);
		errors.push(...validateProjection(source, at, path));
		for (const { file, shown } of filesOf(source)) {
			if (taken.has(file)) errors.push(fieldInvalid(path, shown, 'conflicting duplicate paths'));
			if (file !== '') taken.add(file);
		}
		if (Object.values(source).filter((each) => each !== undefined).length > 1) {
			errors.push(fieldForbidden(at, 'may not specify more than 1 volume type per source'));
		}
	}
	return errors;
}

/**
 * Validates one source, at `path`. `volume` is the path of the whole volume: upstream reports some errors
 * there.
 */
function validateProjection(
	source: VolumeProjection,
	path: FieldPath,
	volume: FieldPath,
): readonly FieldError[] {
	const { secret, configMap, downwardAPI, serviceAccountToken: token, clusterTrustBundle: bundle } = source;
	const errors: FieldError[] = [];
	for (const [field, object] of Object.entries({ secret, configMap })) {
		if (!object) continue;
		if (!object.name) errors.push(fieldRequired(path.child(field, 'name')));
		errors.push(...validateItems(object.items ?? [], path.child(field, 'items')));
	}
	for (const file of downwardAPI?.items ?? []) {
		errors.push(...validateDownwardFile(file, path.child('downwardAPI')));
	}
	if (token) {
		const { expirationSeconds: seconds = 0 } = token;
		const at = path.child('serviceAccountToken', 'expirationSeconds');
		if (seconds < 600)
			errors.push(fieldInvalid(at, seconds, 'may not specify a duration less than 10 minutes'));
		if (seconds > 2 ** 32) {
			errors.push(fieldInvalid(at, seconds, 'may not specify a duration larger than 2^32 seconds'));
		}
		if (token.path === '') errors.push(fieldRequired(volume.child('path')));
		else errors.push(...validateFileInVolume(token.path, volume.child('path')));
	}
	if (bundle) {
		const at = path.child('clusterTrustBundle');
		if (!bundle.name && !bundle.signerName) {
			errors.push(fieldRequired(at, 'either name or signerName must be specified'));
		}
		if (bundle.path === '') errors.push(fieldRequired(at.child('path')));
		errors.push(...validateFileInVolume(bundle.path, at.child('path')));
	}
	return errors;
}

/**
 * The files that a source writes, each with the value that upstream shows in an error about a duplicate path.
 */
function filesOf({
	secret,
	configMap,
	downwardAPI,
	clusterTrustBundle,
}: VolumeProjection): readonly { readonly file: string; readonly shown: string }[] {
	const files: { readonly file: string; readonly shown: string }[] = [];
	for (const object of [secret, configMap]) {
		for (const { path } of object?.items ?? []) files.push({ file: path, shown: object?.name ?? '' });
	}
	for (const { path } of downwardAPI?.items ?? []) files.push({ file: path, shown: path });
	if (clusterTrustBundle) files.push({ file: clusterTrustBundle.path, shown: clusterTrustBundle.path });
	return files;
}

const MAX_DRIVER_LENGTH = 63;

/**
 * A driver's name is a DNS subdomain of at most 63 bytes in which upper case is allowed, as in the CSI
 * specification.
 */
function validateCsi(csi: NonNullable<Volume['csi']>, path: FieldPath): readonly FieldError[] {
	const { driver, nodePublishSecretRef: secret } = csi;
	const at = path.child('driver');
	const errors: FieldError[] = [];
	if (driver === '') errors.push(fieldRequired(at));
	if (exceeds(driver, MAX_DRIVER_LENGTH)) errors.push(tooLong(at, MAX_DRIVER_LENGTH));
	errors.push(...malformed(at, driver, dns1123Subdomain(driver.toLowerCase())));
	if (secret && !secret.name) errors.push(fieldRequired(path.child('nodePublishSecretRef', 'name')));
	else if (secret?.name)
		errors.push(...malformed(path.child('name'), secret.name, dns1123Subdomain(secret.name)));
	return errors;
}

/**
 * Validates the template of the claim like a PersistentVolumeClaim, as far as its creation would fail
 * otherwise: the Pod would then never leave the phase Pending.
 */
function validateEphemeral(
	{ volumeClaimTemplate: template }: NonNullable<Volume['ephemeral']>,
	path: FieldPath,
): readonly FieldError[] {
	const at = path.child('volumeClaimTemplate');
	if (!template) return [fieldRequired(at)];
	return validateClaimSpec(template.spec, at.child('spec'));
}
