/**
 * Decides what a container with an image gets where it can only have a root by chroot(2) (native/shim/chroot.c): its files,
 * user, groups and environment, and less rights than elsewhere. What it sees beside its files is the machine's. Pure.
 */
import type { ContainerConfig } from '../../api/contract/container-config.ts';
import { type BoxedConfig, boxMountsOf } from '../process/shim/box.ts';
import { capabilityMask } from '../process/shim/capabilities.ts';
import type { BoxMount, ContainerBox } from '../process/shim/shim-request.ts';
import {
	DEVICES,
	filtersCalls,
	type ImageBoxFacts,
	type ImageView,
	LINKS,
	RESOLV_CONF_PATH,
} from './image-box.ts';

/** Capabilities with which a program leaves such a root, or reaches the disks of the machine by devices that it makes. */
const ESCAPES = ['SYS_CHROOT', 'MKNOD'];

/** Folders that programs expect. Those of the kernel stay empty. */
const FOLDERS: ContainerBox['fileSystems'] = [
	{ type: 'proc', target: '/proc', options: '' },
	{ type: 'sysfs', target: '/sys', options: '' },
	{ type: 'devpts', target: '/dev/pts', options: '' },
	{ type: 'tmpfs', target: '/dev/shm', options: 'mode=1777' },
];

/** The box of a container whose root is entered by chroot. */
export function chrootBoxOf(
	config: ContainerConfig,
	{ image, facts }: { readonly image: ImageView; readonly facts: Pick<ImageBoxFacts, 'filter'> },
): ContainerBox {
	const { uid, gid, groups } = image.user;
	const { security, oomScoreAdj } = config;
	return {
		namespaces: '',
		root: { ...image.root, isChroot: true },
		fileSystems: FOLDERS,
		links: LINKS,
		mounts: [
			...DEVICES.map((name) => copied(`/dev/${name}`)),
			...(image.resolvConf === undefined ? [] : [copied(image.resolvConf, RESOLV_CONF_PATH)]),
			...chrootMountsOf(config),
		],
		oomScoreAdj,
		user: { uid, gid },
		groups,
		capabilities: capabilityMask({ add: [], drop: [...security.capabilities.drop, ...ESCAPES] }),
		// The kernel takes a filter from this user only with it. It takes the effect of setuid bits too.
		noNewPrivileges: true,
		...(filtersCalls({ ...security, privileged: false }) && { seccomp: facts.filter }),
	};
}

/** What the Pod mounts: all is copied at the start, and the termination message also at the end. */
function chrootMountsOf(config: BoxedConfig): readonly BoxMount[] {
	const { terminationMessageFile: message } = config;
	return boxMountsOf(config).map((mount) => ({ ...mount, flags: mount.source === message ? 'B' : '' }));
}

function copied(source: string, target = source): BoxMount {
	return { source, subPath: '', target, flags: '' };
}
