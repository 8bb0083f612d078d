/**
 * Decides the isolation of a container that has an image: the root file system and the devices of its own, and the users,
 * capabilities and hidden paths that container runtimes give every container. Pure.
 *
 * As root, its users are those of the machine, as upstream. As an ordinary user it gets a user namespace: with the ids that
 * /etc/subuid grants, or else with the one id that it runs as.
 */
import type { ContainerConfig, ContainerSecurity } from '../../api/contract/container-config.ts';
import type { BoxFacts, SandboxView } from '../process/shim/box.ts';
import { boxMountsOf, LONGEST_HOSTNAME, sysctlsOf } from '../process/shim/box.ts';
import { capabilityMask } from '../process/shim/capabilities.ts';
import type { IdRange, SubordinateIds } from '../process/shim/probe.ts';
import type { BoxMount, ContainerBox, ContainerRoot } from '../process/shim/shim-request.ts';
import type { ImageUser } from './image-user.ts';

/** What the box of an image depends on beside the Pod. */
export interface ImageBoxFacts extends Pick<BoxFacts, 'level' | 'hasPids' | 'uid' | 'gid' | 'filter'> {
	/** The ids of an ordinary user beside the own one; undefined: none. */
	readonly subordinateIds: SubordinateIds | undefined;
}

/** The image's part of a container. */
export interface ImageView {
	readonly root: ContainerRoot;
	readonly user: ImageUser;
	/** The file of the host that is the container's /etc/resolv.conf; undefined if the node agent mounts one. */
	readonly resolvConf: string | undefined;
}

/** The box of a container with an image; undefined if the machine allows none. See chroot-box.ts for what it may get then. */
export function imageBoxOf(
	config: ContainerConfig,
	sandbox: SandboxView,
	{ image, facts }: { readonly image: ImageView; readonly facts: ImageBoxFacts },
): ContainerBox | undefined {
	if ((facts.level !== 'root' && facts.level !== 'user') || !facts.hasPids) return undefined;
	const { network, ipc, pid } = sandbox.namespaces;
	const ownPids = pid !== 'node';
	const ownIpc = ipc === 'pod';
	const { security } = config;
	return {
		namespaces: `m${ownPids ? 'p' : ''}${ownIpc ? 'i' : ''}${network === 'pod' ? 'h' : ''}`,
		...(network === 'pod' && { hostname: sandbox.hostname.slice(0, LONGEST_HOSTNAME) }),
		root: image.root,
		fileSystems: fileSystemsOf({ ownPids: ownPids || facts.level === 'root', ownIpc }),
		links: LINKS,
		mounts: [
			...systemMounts({ ownPids: ownPids || facts.level === 'root', ownIpc, security }),
			...(image.resolvConf === undefined
				? []
				: [{ source: image.resolvConf, subPath: '', target: RESOLV_CONF_PATH, flags: '' }]),
			...boxMountsOf(config),
		],
		oomScoreAdj: config.oomScoreAdj,
		sysctls: sysctlsOf(sandbox),
		...(!security.privileged && security.procMount === 'Default' && { masked: MASKED, protected: PROTECTED }),
		...userOf(image.user, facts),
		...(!security.privileged && { capabilities: capabilityMask(security.capabilities) }),
		...(security.noNewPrivileges && { noNewPrivileges: true }),
		...(security.readOnlyRootFilesystem && { readOnlyRoot: true }),
		...(filtersCalls(security) && { seccomp: facts.filter }),
	};
}

/** Where containers look for the configuration of their resolver. */
export const RESOLV_CONF_PATH = '/etc/resolv.conf';

/** What runtimes hide from containers (containerd: `defaultMaskedPaths`, `defaultReadonlyPaths`). */
const MASKED = [
	'acpi',
	'asound',
	'interrupts',
	'kcore',
	'keys',
	'latency_stats',
	'timer_list',
	'timer_stats',
	'sched_debug',
	'scsi',
]
	.map((name) => `/proc/${name}`)
	.concat('/sys/firmware', '/sys/devices/virtual/powercap');
const PROTECTED = ['bus', 'fs', 'irq', 'sys', 'sysrq-trigger'].map((name) => `/proc/${name}`);

/** The links of every container. */
export const LINKS = [
	{ path: '/dev/fd', target: '/proc/self/fd' },
	{ path: '/dev/stdin', target: '/proc/self/fd/0' },
	{ path: '/dev/stdout', target: '/proc/self/fd/1' },
	{ path: '/dev/stderr', target: '/proc/self/fd/2' },
	{ path: '/dev/ptmx', target: 'pts/ptmx' },
];

/** The devices of every container. */
export const DEVICES = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];

interface Shares {
	readonly ownPids: boolean;
	readonly ownIpc: boolean;
}

function fileSystemsOf({ ownPids, ownIpc }: Shares): ContainerBox['fileSystems'] {
	return [
		...(ownPids ? [{ type: 'proc', target: '/proc', options: '' }] : []),
		{ type: 'tmpfs', target: '/dev', options: 'mode=755,size=65536k' },
		{ type: 'devpts', target: '/dev/pts', options: 'newinstance,ptmxmode=0666,mode=0620' },
		...(ownIpc
			? [
					{ type: 'tmpfs', target: '/dev/shm', options: 'mode=1777,size=65536k' },
					{ type: 'mqueue', target: '/dev/mqueue', options: '' },
				]
			: []),
	];
}

/** The parts of the machine that every container sees. */
function systemMounts({ ownPids, ownIpc, security }: Shares & { security: ContainerSecurity }): BoxMount[] {
	const shared = (path: string, flags = ''): BoxMount => ({ source: path, subPath: '', target: path, flags });
	return [
		// The network is the machine's, so a sysfs of its own could not be mounted.
		shared('/sys', security.privileged ? '' : 'rR'),
		...(ownPids ? [] : [shared('/proc')]),
		...(ownIpc ? [] : [shared('/dev/shm')]),
		...DEVICES.map((name) => shared(`/dev/${name}`)),
	];
}

function userOf({ uid, gid, groups }: ImageUser, facts: ImageBoxFacts): Partial<ContainerBox> {
	if (facts.level === 'root') return { user: { uid, gid }, groups };
	const { subordinateIds: ids } = facts;
	// With a single id, the files of all users are those of the user who runs stint.
	if (!ids) return { idMaps: { uid: `${uid} ${facts.uid} 1`, gid: `${gid} ${facts.gid} 1` } };
	return { idMaps: mapsOf(facts, ids), user: { uid, gid }, groups };
}

/** Root of the container is the user who runs stint, the other ids are the granted ones. */
export function mapsOf(
	{ uid, gid }: { readonly uid: number; readonly gid: number },
	{ uids, gids }: SubordinateIds,
): NonNullable<ContainerBox['idMaps']> {
	const lines = (own: number, { first, count }: IdRange): string => `0 ${own} 1\n1 ${first} ${count}`;
	return { uid: lines(uid, uids), gid: lines(gid, gids) };
}

/** Unlike a kubelet, which by default filters no calls: what RuntimeDefault means, unless the Pod declines it. */
export function filtersCalls({
	privileged,
	seccompProfile,
}: Pick<ContainerSecurity, 'privileged' | 'seccompProfile'>): boolean {
	return !privileged && seccompProfile?.type !== 'Unconfined';
}
