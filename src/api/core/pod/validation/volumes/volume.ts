/**
 * Validation of the volumes of a Pod: their names and sources. Rules and messages are those of upstream's
 * `ValidateVolumes` in pkg/apis/core/validation, including its misspelt paths. The sources of single storage
 * providers are in `provider-volume.ts`, those of several sources in `projected-volume.ts`, claims that are created
 * with the Pod in `volume-claim.ts`.
 */

import { quote } from '../../../../../base/quote.ts';
import {
	chosen,
	duplicate,
	fieldForbidden,
	fieldInvalid,
	fieldRequired,
	malformed,
	notSupported,
	tooLong,
} from '../../../../errors/field-errors.ts';
import type { FieldError, FieldPath } from '../../../../errors/field-path.ts';
import { dns1123Label, dns1123Subdomain, exceeds } from '../../../../meta/names.ts';
import { compareQuantities } from '../../../../meta/quantity.ts';
import type { Volume } from '../../schema/volume.ts';
import { VOLUME_SOURCES } from '../../schema/volume.ts';
import { validateNoBacksteps } from '../path.ts';
import { validateProjected } from './projected-volume.ts';
import { validateIscsiName, validateProviderVolume } from './provider-volume.ts';
import { validateEphemeral } from './volume-claim.ts';
import { validateDownwardFile, validateItems, validateMode } from './volume-files.ts';

/** What has the volumes. The claims of its ephemeral volumes are named after a Pod; a template has no name yet. */
export type SpecOwner = { readonly of: 'pod'; readonly name: string } | { readonly of: 'template' };

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
	owner: SpecOwner,
): ValidatedVolumes {
	const errors: FieldError[] = [];
	const valid = new Map<string, Volume>();
	const created = new Set(volumes.flatMap((volume) => (volume.ephemeral ? claimNames(volume, owner) : [])));
	for (const [index, volume] of volumes.entries()) {
		const at = path.index(index);
		const { name } = volume;
		const found = [...validateSource(volume, at, owner)];
		if (name === '') found.push(fieldRequired(at.child('name')));
		else found.push(...malformed(at.child('name'), name, dns1123Label(name)));
		if (valid.has(name)) found.push(duplicate(at.child('name'), name));
		if (found.length === 0) valid.set(name, volume);
		errors.push(...found);
		const claim = volume.persistentVolumeClaim?.claimName;
		if (claim !== undefined && created.has(claim)) {
			const detail = 'must not reference a PVC that gets created for an ephemeral volume';
			errors.push(fieldInvalid(at.child('persistentVolumeClaim', 'claimName'), claim, detail));
		}
	}
	return { errors, valid };
}

/** The name of the claim of an ephemeral volume, if the Pod's name is known. */
function claimNames({ name }: Volume, owner: SpecOwner): readonly string[] {
	return owner.of === 'pod' && owner.name !== '' ? [`${owner.name}-${name}`] : [];
}

/** The claim is named after the Pod and the volume, and can be too long although neither of them is. */
function validateClaimName(volume: Volume, owner: SpecOwner, path: FieldPath): readonly FieldError[] {
	if (volume.name === '') return [];
	return claimNames(volume, owner).flatMap((claim) =>
		dns1123Subdomain(claim).map((problem) =>
			fieldInvalid(path, volume.name, `PVC name ${quote(claim)}: ${problem}`),
		),
	);
}

/** The name of a source field. VOLUME_SOURCES has them in upstream's order, which decides which one is the first. */
type Source = (typeof VOLUME_SOURCES)[number];

/** The paths of upstream's errors about a second source, where they differ from the name of the field. */
const SECOND_SOURCE_NAMES: { readonly [K in Source]?: string } = {
	cephfs: 'cephFS',
	downwardAPI: 'downwarAPI',
};

/**
 * Validates the source of a volume: the first one that is set, by its own rules; any further one is an error.
 */
function validateSource(volume: Volume, path: FieldPath, owner: SpecOwner): readonly FieldError[] {
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
	const lacksImage = owner.of === 'pod' && first === 'image' && !volume.image?.reference;
	return [
		...(lacksImage ? [fieldRequired(at.child('reference'))] : []),
		...validateContent(volume, first, at),
		...validateIscsiName(volume, path.child('name')),
		...(first === 'ephemeral' ? validateClaimName(volume, owner, path.child('name')) : []),
		...refusals,
	];
}

/** Upstream: the branches of `validateVolumeSource`. */
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

/** Zero means no limit. */
function validateSizeLimit(limit: string | undefined, path: FieldPath): readonly FieldError[] {
	if (limit === undefined || compareQuantities(limit, '0') >= 0) return [];
	return [fieldForbidden(path.child('sizeLimit'), 'SizeLimit field must be a valid resource quantity')];
}

/** Sorted, as upstream's errors list them. The empty type means that the node checks nothing. */
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

/** Limit of the CSI specification, in bytes. */
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
