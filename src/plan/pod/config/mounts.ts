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
	/** The path on the host of the Pod's `/etc/hosts`; undefined if the container has that of its runtime. */
	readonly hostsFile: string | undefined;
	/** That of the Pod's `/etc/resolv.conf`; undefined likewise. */
	readonly resolvConf: string | undefined;
}

const HOSTS_PATH = '/etc/hosts';
const RESOLV_CONF_PATH = '/etc/resolv.conf';

/**
 * The mounts of a container: its volumes, and `/etc/hosts` and `/etc/resolv.conf` unless a volume is mounted there
 * (upstream: `makeMounts` in kubelet_pods.go; CRI runtimes mount the latter). A mount point comes before those below
 * it, as container runtimes sort them: made in the order of the Pod, an outer volume would hide an inner one. Throws
 * InputError, with upstream's message.
 */
export function mountsOf(container: Container, facts: MountFacts): readonly Mount[] {
	const mounts = (container.volumeMounts ?? []).map((mount) => volumeMount(container, mount, facts));
	const { hostsFile, resolvConf } = facts;
	const add = (hostPath: string | undefined, containerPath: string, readOnly: boolean): void => {
		if (hostPath === undefined || mounts.some((mount) => mount.containerPath === containerPath)) return;
		mounts.push(fileMount(hostPath, containerPath, readOnly));
	};
	add(hostsFile, HOSTS_PATH, false);
	add(resolvConf, RESOLV_CONF_PATH, container.securityContext?.readOnlyRootFilesystem ?? false);
	return mounts.sort((a, b) => depthOf(a.containerPath) - depthOf(b.containerPath));
}

function fileMount(hostPath: string, containerPath: string, readOnly: boolean): Mount {
	return {
		hostPath,
		subPath: '',
		containerPath,
		readOnly,
		recursiveReadOnly: 'Disabled',
		propagation: 'None',
	};
}

function depthOf(path: string): number {
	return path.split('/').filter((part) => part !== '' && part !== '.').length;
}

function volumeMount({ name }: Container, mount: VolumeMount, facts: MountFacts): Mount {
	const volume = facts.volumes.get(mount.name);
	if (!volume) throw new InputError(`cannot find volume "${mount.name}" to mount into container "${name}"`);
	const { mountPath, recursiveReadOnly, mountPropagation, readOnly = false } = mount;
	return {
		hostPath: volume.hostPath,
		...(volume.image !== undefined && { image: volume.image }),
		subPath: subPathOf(mount, facts),
		containerPath: absolute(mountPath),
		readOnly: readOnly || volume.readOnly,
		recursiveReadOnly: recursiveReadOnly ?? 'Disabled',
		propagation: mountPropagation ?? 'None',
	};
}

function absolute(path: string): string {
	return path.startsWith('/') ? path : `/${path}`;
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
	const missing = new Set<string>();
	const set = new Map([...variables].filter(([, value]) => value !== ''));
	const path = expansion.expand(subPathExpr, set, (name) => void missing.add(name));
	if (missing.size > 0) throw new InputError(`missing value for ${[...missing].sort().join(', ')}`);
	if (path.startsWith('/')) throw new InputError(`error SubPath \`${path}\` must not be an absolute path`);
	if (path.split('/').includes('..'))
		throw new InputError(`unable to provision SubPath \`${path}\`: must not contain '..'`);
	return path;
}
