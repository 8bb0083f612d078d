/**
 * Decides the isolation of a container from what its Pod says (the box: native/shim/box.c). Pure.
 *
 * Every container has its own view of mounts, processes, IPC and the host name, unless the Pod shares the host's. Of its
 * rights, those that a security context names are those of a container on a kubelet; the others are those of the user
 * who runs stint, as for any program that this user starts.
 */
import { normalize } from 'node:path/posix';
import type { ContainerConfig, ContainerSecurity } from '../../../api/contract/container-config.ts';
import type { SandboxConfig } from '../../../api/contract/sandbox-config.ts';
import { capabilityMask } from './capabilities.ts';
import type { BoxMount, ContainerBox } from './shim-request.ts';

/**
 * What this machine allows: boxes made by root, boxes in user namespaces, roots by chroot without a view of anything else,
 * or none. The level `chroot` is only for containers with an image.
 */
export type BoxLevel = 'root' | 'user' | 'chroot' | 'none';

/** The facts about this machine and its users that a box depends on. */
export interface BoxFacts {
	readonly level: BoxLevel;
	/** Whether a container can have processes of its own: it needs a /proc of its own. */
	readonly hasPids: boolean;
	/** The user and group of stint. */
	readonly uid: number;
	readonly gid: number;
	/** The path of the system call filter that RuntimeDefault means. */
	readonly filter: string;
	/** The entry of a user in the machine's user database; undefined if there is none. */
	userById(uid: number): HostUser | undefined;
}

/** A user of the machine, as in /etc/passwd and /etc/group. */
export interface HostUser {
	readonly gid: number;
	readonly groups: readonly number[];
	readonly home: string;
}

/** What a box needs of the sandbox. */
export type SandboxView = Pick<SandboxConfig, 'hostname' | 'namespaces' | 'sysctls'>;

/** What a box needs of the container. */
export type BoxedConfig = Pick<
	ContainerConfig,
	'security' | 'mounts' | 'devices' | 'terminationMessagePath' | 'terminationMessageFile' | 'oomScoreAdj'
>;

/** The box of a container; undefined if the machine allows none. */
export function boxOf(config: BoxedConfig, sandbox: SandboxView, facts: BoxFacts): ContainerBox | undefined {
	if (facts.level === 'none' || facts.level === 'chroot') return undefined;
	const { network, ipc, pid } = sandbox.namespaces;
	const ownPids = pid !== 'node' && facts.hasPids;
	const ownIpc = ipc === 'pod';
	const ownName = network === 'pod';
	return {
		namespaces: `m${ownPids ? 'p' : ''}${ownIpc ? 'i' : ''}${ownName ? 'h' : ''}`,
		...(ownName && { hostname: sandbox.hostname.slice(0, LONGEST_HOSTNAME) }),
		fileSystems: fileSystemsOf({ ownPids, ownIpc }),
		mounts: boxMountsOf(config),
		oomScoreAdj: config.oomScoreAdj,
		sysctls: sysctlsOf(sandbox),
		...identityOf(config.security, facts),
	};
}

/** The longest host name that the kernel takes. */
export const LONGEST_HOSTNAME = 64;

function fileSystemsOf({
	ownPids,
	ownIpc,
}: {
	ownPids: boolean;
	ownIpc: boolean;
}): ContainerBox['fileSystems'] {
	const terminals = { type: 'devpts', target: '/dev/pts', options: 'newinstance,ptmxmode=0666,mode=0620' };
	const processes = { type: 'proc', target: '/proc', options: '' };
	const shared = { type: 'tmpfs', target: '/dev/shm', options: 'mode=1777,size=65536k' };
	return [...(ownPids ? [processes] : []), terminals, ...(ownIpc ? [shared] : [])];
}

/** The kernel parameters of a sandbox, as the files that set them. */
export function sysctlsOf({ sysctls }: Pick<SandboxView, 'sysctls'>): NonNullable<ContainerBox['sysctls']> {
	return Object.entries(sysctls).map(([name, value]) => ({
		path: `/proc/sys/${name.replaceAll('.', '/')}`,
		value,
	}));
}

/**
 * What the Pod mounts into a container, in order: the file for the termination message comes last, since its path may be
 * in a volume.
 */
export function boxMountsOf(config: BoxedConfig): readonly BoxMount[] {
	const { mounts, devices, terminationMessagePath: target, terminationMessageFile: source } = config;
	return [
		...mounts.map(boxMountOf),
		...devices.map(({ hostPath, containerPath, readOnly }) => ({
			source: hostPath,
			subPath: '',
			target: containerPath,
			flags: readOnly ? 'r' : '',
		})),
		...(target && source ? [{ source, subPath: '', target, flags: '' }] : []),
	];
}

function boxMountOf(mount: ContainerConfig['mounts'][number]): BoxMount {
	const { hostPath, subPath, containerPath, readOnly, recursiveReadOnly, propagation } = mount;
	const recursive = recursiveReadOnly === 'Disabled' ? '' : 'R';
	// plan/pod/fields holds back a container that asks for propagation to the host.
	const follows = propagation === 'None' ? '' : 'H';
	return {
		source: hostPath,
		subPath,
		// `..` would lead out of the mirror that the shim makes of a folder.
		target: normalize(containerPath),
		flags: `${readOnly ? `r${recursive}` : ''}${follows}`,
	};
}

function identityOf(security: ContainerSecurity, facts: BoxFacts): Partial<ContainerBox> {
	return {
		...userOf(security, facts),
		...rightsOf(security),
		...(security.noNewPrivileges && { noNewPrivileges: true }),
		...(security.readOnlyRootFilesystem && { readOnlyRoot: true }),
		// Upstream's runtimes filter no calls of privileged containers.
		...(filtersCalls(security) && { seccomp: facts.filter }),
	};
}

function filtersCalls({ privileged, seccompProfile }: ContainerSecurity): boolean {
	return !privileged && seccompProfile?.type === 'RuntimeDefault';
}

/**
 * The user and groups. As an ordinary user, the container gets a user namespace, in which the user who runs stint is the
 * user that the Pod names: no other user's rights are needed, and all files stay those of this user.
 */
function userOf(
	{ runAsUser, runAsGroup, supplementalGroups, supplementalGroupsPolicy }: ContainerSecurity,
	facts: BoxFacts,
): Partial<ContainerBox> {
	if (facts.level === 'user') {
		const uid = runAsUser ?? facts.uid;
		const gid = runAsGroup ?? facts.gid;
		return { idMaps: { uid: `${uid} ${facts.uid} 1`, gid: `${gid} ${facts.gid} 1` } };
	}
	if (runAsUser === undefined && runAsGroup === undefined && supplementalGroups.length === 0) return {};
	const uid = runAsUser ?? facts.uid;
	const user = facts.userById(uid);
	const merged = supplementalGroupsPolicy === 'Merge' ? (user?.groups ?? []) : [];
	return {
		user: { uid, gid: runAsGroup ?? user?.gid ?? 0 },
		groups: [...new Set([...merged, ...supplementalGroups])],
	};
}

/** The capabilities: those of a container only if the security context says something about them. */
function rightsOf({ privileged, capabilities }: ContainerSecurity): Partial<ContainerBox> {
	if (privileged === true) return {};
	const names = [...capabilities.add, ...capabilities.drop];
	if (privileged === undefined && names.length === 0) return {};
	return { capabilities: capabilityMask(capabilities) };
}
