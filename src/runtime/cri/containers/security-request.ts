/** The security settings of a container as the CRI takes them. Pure. */
import type { ContainerSecurity } from '../../../api/contract/container-config.ts';
import type { SandboxSecurity } from '../../../api/contract/sandbox-config.ts';
import { type ContainerSecurityContext, PROFILE } from '../client/cri-messages.ts';
import type { Given } from '../client/message.ts';

/** The user of an image. */
export interface CriImageUser {
	/** Its number, if the image gives one. */
	readonly uid: number | undefined;
	readonly username: string;
}

/** The settings without the namespaces. */
export function securityRequest(
	security: ContainerSecurity,
	image: CriImageUser,
): Given<typeof ContainerSecurityContext> {
	const { privileged = false, capabilities, readOnlyRootFilesystem, supplementalGroups } = security;
	const { runAsGroup, noNewPrivileges, appArmorProfile } = security;
	const runAsUser = security.runAsUser ?? image.uid;
	return {
		privileged,
		capabilities: { add: capabilities.add.map(plainName), drop: capabilities.drop.map(plainName) },
		// The user of the image is given too, as a kubelet does: the runtime takes a group only with a user.
		...(runAsUser !== undefined && { runAsUser: { value: runAsUser } }),
		...(runAsUser === undefined && {
			runAsUsername: image.username || (runAsGroup === undefined ? '' : 'root'),
		}),
		...(runAsGroup !== undefined && { runAsGroup: { value: runAsGroup } }),
		readonlyRootfs: readOnlyRootFilesystem,
		supplementalGroups,
		noNewPrivs: noNewPrivileges,
		...(privileged ? {} : { maskedPaths: MASKED_PATHS, readonlyPaths: READ_ONLY_PATHS }),
		seccomp: seccompOf(security.seccompProfile, privileged),
		...(appArmorProfile && {
			apparmor: profileOf(appArmorProfile.type, appArmorProfile.localhostProfile),
			apparmorProfile: oldAppArmorName(appArmorProfile.type, appArmorProfile.localhostProfile),
		}),
	};
}

/** The filter of system calls: that of the runtime unless the Pod says otherwise, none for a privileged container. */
export function seccompOf(
	profile: SandboxSecurity['seccompProfile'],
	privileged: boolean,
): { readonly type: number } {
	const isUnfiltered = privileged || profile?.type === 'Unconfined';
	return { type: isUnfiltered ? PROFILE.unconfined : PROFILE.runtimeDefault };
}

function profileOf(type: string, name: string | undefined): { type: number; localhostRef?: string } {
	if (type === 'Localhost') return { type: PROFILE.localhost, localhostRef: name ?? '' };
	return { type: type === 'Unconfined' ? PROFILE.unconfined : PROFILE.runtimeDefault };
}

/** What runtimes before containerd 1.6 read. */
function oldAppArmorName(type: string, name: string | undefined): string {
	if (type === 'Localhost') return `localhost/${name ?? ''}`;
	return type === 'Unconfined' ? 'unconfined' : 'runtime/default';
}

function plainName(capability: string): string {
	return capability.toUpperCase().replace(/^CAP_/, '');
}

/** Parts of /proc and /sys that containers do not see, or not write (upstream: `defaultMaskedPaths`, `defaultReadonlyPaths`). */
const MASKED_PATHS = [
	'/proc/asound',
	'/proc/acpi',
	'/proc/interrupts',
	'/proc/kcore',
	'/proc/keys',
	'/proc/latency_stats',
	'/proc/timer_list',
	'/proc/timer_stats',
	'/proc/sched_debug',
	'/proc/scsi',
	'/sys/firmware',
	'/sys/devices/virtual/powercap',
];
const READ_ONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];
