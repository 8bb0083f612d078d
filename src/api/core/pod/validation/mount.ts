/**
 * Validation of volume mounts and block devices of a container (upstream: `ValidateVolumeMounts` and
 * `ValidateVolumeDevices` in pkg/apis/core/validation).
 */

import {
	chosen,
	fieldForbidden,
	fieldInvalid,
	fieldNotFound,
	fieldRequired,
} from '../../../errors/field-errors.ts';
import type { FieldError, FieldPath } from '../../../errors/field-path.ts';
import type { Container, VolumeDevice, VolumeMount } from '../schema/container.ts';
import type { Volume } from '../schema/volume.ts';
import { validateDescendingPath, validateNoBacksteps } from './path.ts';

/** Validates mounts and block devices against the valid volumes of the Pod and against each other. */
export function validateMounts(
	container: Container,
	volumes: ReadonlyMap<string, Volume>,
	path: FieldPath,
): readonly FieldError[] {
	const { volumeMounts = [], volumeDevices = [] } = container;
	if (volumeMounts.length === 0 && volumeDevices.length === 0) return [];
	const errors: FieldError[] = [];
	const paths = new Set<string>();
	// Devices count before mounts and mounts before devices: each list reports a collision with the other.
	const deviceNames = new Set(volumeDevices.map(({ name }) => name));
	const devicePaths = new Set(volumeDevices.map(({ devicePath }) => devicePath));
	const list = path.child('volumeMounts');
	for (const [index, mount] of volumeMounts.entries()) {
		const at = list.index(index);
		errors.push(...validateNames(mount, volumes, at));
		if (paths.has(mount.mountPath)) {
			errors.push(fieldInvalid(at.child('mountPath'), mount.mountPath, 'must be unique'));
		}
		paths.add(mount.mountPath);
		if (deviceNames.has(mount.name)) {
			errors.push(fieldInvalid(at.child('name'), mount.name, 'must not already exist in volumeDevices'));
		}
		if (devicePaths.has(mount.mountPath)) {
			const detail = 'must not already exist as a path in volumeDevices';
			errors.push(fieldInvalid(at.child('mountPath'), mount.mountPath, detail));
		}
		errors.push(...validateMountDetails(mount, container, { at, list }));
	}
	return [...errors, ...validateDevices(container, volumes, path.child('volumeDevices'))];
}

/**
 * Rules that mounts and devices share. A mount of an invalid volume is "not found" too, as upstream: the caller passes
 * only valid volumes.
 */
function validateNames(
	use: VolumeMount | VolumeDevice,
	volumes: ReadonlyMap<string, Volume>,
	at: FieldPath,
): readonly FieldError[] {
	const { name } = use;
	const [pathField, path] =
		'mountPath' in use ? ['mountPath', use.mountPath] : ['devicePath', use.devicePath];
	const errors: FieldError[] = [];
	if (name === '') errors.push(fieldRequired(at.child('name')));
	if (!volumes.has(name)) errors.push(fieldNotFound(at.child('name'), name));
	if (path === '') errors.push(fieldRequired(at.child(pathField)));
	return errors;
}

/** Upstream: `validateMountPropagation`, in the order of its sorted set. */
const PROPAGATIONS = ['Bidirectional', 'HostToContainer', 'None'];

/**
 * Validates the other fields of a mount. Upstream reports most of these errors at the list, not at the mount.
 */
function validateMountDetails(
	mount: VolumeMount,
	{ securityContext }: Container,
	{ at, list }: { readonly at: FieldPath; readonly list: FieldPath },
): readonly FieldError[] {
	const { subPath = '', subPathExpr = '', mountPropagation: propagation } = mount;
	const errors: FieldError[] = [];
	if (subPath !== '') errors.push(...validateDescendingPath(subPath, list.child('subPath')));
	if (subPathExpr !== '') {
		if (subPath !== '') {
			const detail = 'subPathExpr and subPath are mutually exclusive';
			errors.push(fieldInvalid(at.child('subPathExpr'), subPathExpr, detail));
		}
		errors.push(...validateDescendingPath(subPathExpr, list.child('subPathExpr')));
	}
	if (propagation !== undefined) {
		const where = list.child('mountPropagation');
		errors.push(...chosen(where, propagation, PROPAGATIONS));
		if (propagation === 'Bidirectional' && securityContext?.privileged !== true) {
			errors.push(
				fieldForbidden(where, 'Bidirectional mount propagation is available only to privileged containers'),
			);
		}
	}
	return [...errors, ...validateRecursiveReadOnly(mount, list.child('recursiveReadOnly'))];
}

/**
 * Upstream: `validateMountRecursiveReadOnly`. A mount can be read-only in depth only if it is read-only at all, and if no
 * later mount of the node can appear below it.
 */
function validateRecursiveReadOnly(mount: VolumeMount, path: FieldPath): readonly FieldError[] {
	const { recursiveReadOnly: mode, readOnly, mountPropagation = 'None' } = mount;
	if (mode === undefined || mode === 'Disabled') return [];
	const errors = [...chosen(path, mode, ['Disabled', 'Enabled', 'IfPossible'])];
	if (errors.length > 0) return errors;
	if (!readOnly) errors.push(fieldForbidden(path, 'may only be specified when readOnly is true'));
	if (mountPropagation !== 'None') {
		errors.push(fieldForbidden(path, 'may only be specified when mountPropagation is None or not specified'));
	}
	return errors;
}

/**
 * Only claims can be used as block devices. A path or volume cannot be both a device and a mount of the
 * container, and each can occur once.
 */
function validateDevices(
	{ volumeDevices = [], volumeMounts = [] }: Container,
	volumes: ReadonlyMap<string, Volume>,
	path: FieldPath,
): readonly FieldError[] {
	const names = new Set<string>();
	const paths = new Set<string>();
	const mountNames = new Set(volumeMounts.map(({ name }) => name));
	const mountPaths = new Set(volumeMounts.map(({ mountPath }) => mountPath));
	return volumeDevices.flatMap((device, index) => {
		const { name, devicePath } = device;
		const at = path.index(index);
		const volume = volumes.get(name);
		const errors: FieldError[] = [];
		const wrongName = (detail: string): void =>
			void errors.push(fieldInvalid(at.child('name'), name, detail));
		const wrongPath = (detail: string): void =>
			void errors.push(fieldInvalid(at.child('devicePath'), devicePath, detail));
		if (names.has(name)) wrongName('must be unique');
		if (volume && !volume.persistentVolumeClaim && !volume.ephemeral) {
			wrongName('can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode');
		}
		errors.push(...validateNames(device, volumes, at));
		if (paths.has(devicePath)) wrongPath('must be unique');
		if (validateNoBacksteps(devicePath, at).length > 0) wrongPath("can not contain backsteps ('..')");
		else paths.add(devicePath);
		if (mountNames.has(name)) wrongName('must not already exist in volumeMounts');
		if (mountPaths.has(devicePath)) {
			wrongPath('must not already exist as a path in volumeMounts');
		}
		if (name !== '') names.add(name);
		return errors;
	});
}
