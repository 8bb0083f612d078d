import type { Device, Mount } from '../../../api/contract/container-config.ts';
import type { Container, VolumeMount } from '../../../api/core/pod/schema.ts';
import { InputError, type PreparedVolume } from '../inputs/values.ts';
import type { Expansion } from './environment.ts';

/** What the mounts of a container depend on. */
export interface MountFacts {
	/** The volumes that the node has set up, by name. */
	readonly volumes: ReadonlyMap<string, PreparedVolume>;
	readonly expansion: Expansion;
	/** The container's variables, for `subPathExpr`. */
	readonly variables: ReadonlyMap<string, string>;
}

/** The mounts of a container (upstream: `makeMounts` in kubelet_pods.go). Throws InputError, with upstream's message. */
export function mountsOf({ name, volumeMounts = [] }: Container, facts: MountFacts): readonly Mount[] {
	return volumeMounts.map((mount): Mount => {
		const volume = facts.volumes.get(mount.name);
		if (!volume) throw new InputError(`cannot find volume "${mount.name}" to mount into container "${name}"`);
		const { mountPath, recursiveReadOnly, mountPropagation, readOnly = false } = mount;
		return {
			hostPath: volume.hostPath,
			subPath: subPathOf(mount, facts),
			containerPath: mountPath.startsWith('/') ? mountPath : `/${mountPath}`,
			readOnly: readOnly || volume.readOnly,
			recursiveReadOnly: recursiveReadOnly ?? 'Disabled',
			propagation: mountPropagation ?? 'None',
		};
	});
}

/** The block devices of a container (upstream: `makeBlockVolumes`). Throws InputError. */
export function devicesOf(
	{ name, volumeDevices = [] }: Container,
	volumes: ReadonlyMap<string, PreparedVolume>,
): readonly Device[] {
	return volumeDevices.map(({ name: volumeName, devicePath }): Device => {
		const volume = volumes.get(volumeName);
		if (!volume) throw new InputError(`cannot find volume "${volumeName}" to pass into container "${name}"`);
		return { hostPath: volume.hostPath, containerPath: devicePath, readOnly: volume.readOnly };
	});
}

/** The part of the volume that is mounted. An expanded path is checked again: validation saw only its template. */
function subPathOf(
	{ subPath = '', subPathExpr = '' }: VolumeMount,
	{ expansion, variables }: MountFacts,
): string {
	if (subPathExpr === '') return subPath;
	const path = expansion.expand(subPathExpr, variables, (name) => {
		throw new InputError(`missing value for "${name}"`);
	});
	if (path.startsWith('/')) throw new InputError(`error SubPath \`${path}\` must not be an absolute path`);
	if (path.split('/').includes('..')) throw new InputError(`unable to provision SubPath \`${path}\``);
	return path;
}
