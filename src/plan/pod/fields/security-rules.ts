import type { PodSecurityContext, SecurityContext } from '../../../api/core/pod/schema.ts';
import type { Int64 } from '../../../base/json/json.ts';
import type { FieldRule, FieldUse } from './field-rule.ts';

/**
 * The rows for security contexts. These fields promise safety, so a container whose promise cannot be kept is
 * not started. Running it with a warning would be unsafe.
 */
export const SECURITY_RULES: readonly FieldRule[] = [
	// runAsNonRoot comes before runAsUser, because upstream's kubelet checks in that order.
	...inBoth('runAsNonRoot', {
		effect: 'held',
		only: 'if the container would run as root',
		because: 'the container would run as root',
		instead: 'set runAsUser where containers are isolated, or run stint as another user',
		when: (use) => breaksNonRoot(use) !== undefined,
		exactly: (use) => breaksNonRoot(use) ?? '',
		byStint: true,
	}),
	...inBoth('runAsNonRoot', { effect: 'honoured', because: 'Containers do not run as root.' }),
	...inBoth('runAsUser', {
		effect: 'honoured',
		because: 'Containers run as this user.',
		when: ({ value, traits }) => value === traits.user?.uid,
	}),
	...inBoth('runAsUser', {
		effect: 'held',
		only: "other than stint's",
		because: 'containers run as the user who runs stint',
		instead: 'remove the field, or run stint as that user',
		when: always,
	}),
	...inBoth('runAsGroup', {
		effect: 'honoured',
		because: 'Containers run as this group.',
		when: ({ value, traits }) => value === traits.user?.gid,
	}),
	...inBoth('runAsGroup', {
		effect: 'held',
		only: "other than stint's",
		because: 'containers run as the group that runs stint',
		instead: 'remove the field, or run stint as that group',
		when: always,
	}),
	...inBoth('seccompProfile', {
		effect: 'harmless',
		because: 'System calls are not filtered.',
		when: (use) => profileOf(use, 'seccompProfile') === 'Unconfined',
	}),
	...inBoth('seccompProfile', {
		effect: 'held',
		only: '`Localhost`',
		because: 'the node has no files with profiles',
		instead: 'use the profile RuntimeDefault',
		when: (use) => profileOf(use, 'seccompProfile') === 'Localhost',
		byStint: true,
	}),
	...inBoth('seccompProfile', {
		effect: 'held',
		only: '`RuntimeDefault`',
		because: 'system calls of containers are not filtered',
		instead: 'remove the profile',
	}),
	...inBoth('appArmorProfile', {
		effect: 'harmless',
		because: 'AppArmor is not applied.',
		when: (use) => profileOf(use, 'appArmorProfile') === 'Unconfined',
	}),
	...inBoth('appArmorProfile', {
		effect: 'held',
		only: 'other than `Unconfined`',
		because: 'AppArmor profiles are not applied',
		instead: 'remove the profile',
	}),
	...inBoth('seLinuxOptions', {
		effect: 'held',
		only: 'where the machine has SELinux',
		because: 'SELinux labels are not applied',
		instead: 'remove the options',
	}),
	...inBoth('seLinuxOptions', {
		effect: 'harmless',
		because: 'This machine has no SELinux, so that they have no effect.',
	}),
	...inBoth('windowsOptions', { effect: 'harmless', because: 'They concern nodes with Windows.' }),
	{
		field: 'metadata.annotations',
		effect: 'held',
		only: 'with AppArmor profiles',
		because: 'AppArmor profiles are not applied',
		instead: 'remove the annotation',
		when: ({ pod, container }) => {
			const profile = pod.metadata.annotations?.[`${APP_ARMOR_ANNOTATION}${container.name}`] ?? '';
			return profile !== '' && profile !== 'unconfined';
		},
	},
	inPod('supplementalGroups', {
		effect: 'held',
		only: "other than stint's",
		because: 'containers have the groups of the user who runs stint',
		instead: 'remove the groups, or run stint as a user of these groups',
		when: ({ pod, traits }) =>
			!(pod.spec.securityContext?.supplementalGroups ?? []).every((group) => hasGroup(traits, group)),
	}),
	inPod('supplementalGroups', { effect: 'honoured', because: 'Containers have these groups.' }),
	inPod('supplementalGroupsPolicy', {
		effect: 'held',
		only: '`Strict`',
		because: 'containers have all groups of the user who runs stint',
		instead: 'remove the policy',
		when: ({ value }) => value === 'Strict',
	}),
	inPod('supplementalGroupsPolicy', {
		effect: 'harmless',
		because: 'Containers have the groups of the user who runs stint.',
	}),
	inPod('fsGroup', {
		effect: 'held',
		only: "other than stint's",
		because: 'containers have the groups of the user who runs stint',
		instead: 'remove the field, or run stint as a user of this group',
		when: ({ pod, traits }) => !hasGroup(traits, pod.spec.securityContext?.fsGroup),
	}),
	inPod('fsGroup', { effect: 'honoured', because: 'Containers have this group.' }),
	inPod('fsGroupChangePolicy', {
		effect: 'honoured',
		because: 'It decides when the files of a volume are given to fsGroup.',
	}),
	inPod('seLinuxChangePolicy', { effect: 'harmless', because: 'It affects only volumes.' }),
	inPod('sysctls', {
		effect: 'rejected',
		only: 'that the kubelet does not allow',
		because: 'the kubelet does not allow this parameter',
		instead: 'remove the parameter',
		when: ({ pod }) => unsafeSysctl(pod.spec.securityContext) !== undefined,
		exactly: ({ pod }) =>
			`forbidden sysctl: "${unsafeSysctl(pod.spec.securityContext) ?? ''}" not allowlisted`,
		reason: 'SysctlForbidden',
		byStint: true,
	}),
	inPod('sysctls', {
		effect: 'rejected',
		only: 'of a namespace that the Pod shares with the host',
		because: 'the parameter would change that of this machine',
		instead: 'remove the parameter, or hostNetwork or hostIPC',
		when: ({ pod }) => sharedSysctl(pod) !== undefined,
		exactly: ({ pod }) => `forbidden sysctl: ${sharedSysctl(pod) ?? ''} enabled`,
		reason: 'SysctlForbidden',
		byStint: true,
	}),
	inPod('sysctls', {
		effect: 'held',
		only: 'that the kubelet allows',
		because: 'containers have the kernel parameters of this machine',
		instead: 'remove the parameters, or set them on this machine, or give Pods networks of their own as root',
	}),
	inPod('sysctls', {
		effect: 'honoured',
		because: 'Containers have these parameters, in the network and the IPC namespace of their Pod.',
	}),
	inContainer('privileged', {
		effect: 'warned',
		because: 'containers have at most the privileges of the user who runs stint',
		instead: 'run stint as root where containers can be isolated',
	}),
	inContainer('allowPrivilegeEscalation', {
		effect: 'held',
		only: '`false`',
		because: 'a container can still start programs that gain privileges, such as sudo',
		when: ({ value }) => value === false,
	}),
	inContainer('allowPrivilegeEscalation', {
		effect: 'harmless',
		because: 'Processes may do that in any case.',
	}),
	inContainer('capabilities.drop', {
		effect: 'held',
		because: 'containers have the capabilities of the user who runs stint',
	}),
	inContainer('capabilities.add', {
		effect: 'warned',
		because: 'containers have at most the capabilities of the user who runs stint',
		instead: 'run stint as root where containers can be isolated',
	}),
	inContainer('readOnlyRootFilesystem', {
		effect: 'held',
		because: 'no file system can be mounted read-only for a container here',
	}),
	inContainer('procMount', {
		effect: 'held',
		only: '`Unmasked`',
		because: 'containers see the unchanged /proc of this machine',
		when: ({ value }) => value !== 'Default',
	}),
	inContainer('procMount', { effect: 'harmless', because: 'This is the default.' }),
];

const APP_ARMOR_ANNOTATION = 'container.apparmor.security.beta.kubernetes.io/';

/** The sysctls that the kubelet allows by default (upstream: `sysctl.SafeSysctlAllowlist`). */
const SAFE_SYSCTLS: ReadonlySet<string> = new Set([
	'kernel.shm_rmid_forced',
	'net.ipv4.ip_local_port_range',
	'net.ipv4.ip_local_reserved_ports',
	'net.ipv4.ip_unprivileged_port_start',
	'net.ipv4.ping_group_range',
	'net.ipv4.tcp_fin_timeout',
	'net.ipv4.tcp_keepalive_intvl',
	'net.ipv4.tcp_keepalive_probes',
	'net.ipv4.tcp_keepalive_time',
	'net.ipv4.tcp_rmem',
	'net.ipv4.tcp_syncookies',
	'net.ipv4.tcp_wmem',
]);

type Rule = Omit<FieldRule, 'field'>;

function inPod(name: string, rule: Rule): FieldRule {
	return { field: `spec.securityContext.${name}`, instead: 'remove the field', ...rule };
}

function inContainer(name: string, rule: Rule): FieldRule {
	return { field: `spec.containers[].securityContext.${name}`, instead: 'remove the field', ...rule };
}

/** The rows for a field of the Pod's security context that containers may override. */
function inBoth(name: keyof SecurityContext & keyof PodSecurityContext, rule: Rule): readonly FieldRule[] {
	return [inPod(name, rule), inContainer(name, rule)];
}

function always(): boolean {
	return true;
}

/** Upstream's `verifyRunAsNonRoot`: the message if the container would run as root, or undefined. */
function breaksNonRoot({ value, pod, container, traits }: FieldUse): string | undefined {
	if (value !== true) return undefined;
	// The user of an image is known to its runtime only, which checks it when it creates the container.
	const hasImages = !traits.runsHostPrograms;
	const { name = '', namespace = '', uid = '' } = pod.metadata;
	const which = `(pod: "${name}_${namespace}(${uid})", container: ${container.name})`;
	const wanted = container.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser;
	if (wanted !== undefined) {
		return wanted === 0 ? `container's runAsUser breaks non-root policy ${which}` : undefined;
	}
	const isRoot = !hasImages && (traits.user === undefined || traits.user.uid === 0);
	return isRoot ? `container has runAsNonRoot and image will run as root ${which}` : undefined;
}

/** The type of the profile that applies to the container: its own, otherwise the Pod's. */
function profileOf(
	{ pod, container }: FieldUse,
	name: 'seccompProfile' | 'appArmorProfile',
): string | undefined {
	return (container.securityContext?.[name] ?? pod.spec.securityContext?.[name])?.type;
}

/** Whether the user who runs stint is a member of the group. */
function hasGroup({ user }: FieldUse['traits'], group: Int64 | undefined): boolean {
	// A process cannot have a group id above 2^53.
	return typeof group === 'number' && (user?.gid === group || (user?.groups.includes(group) ?? false));
}

/** The first sysctl that the kubelet does not allow. A name may have slashes in place of dots. */
function unsafeSysctl({ sysctls = [] }: PodSecurityContext = {}): string | undefined {
	return sysctls.find(({ name }) => !SAFE_SYSCTLS.has(name.replaceAll('/', '.')))?.name;
}

/**
 * The first sysctl of a namespace that the Pod shares with its host, and which namespace that is, in the words of upstream
 * (`validateSysctl` in pkg/kubelet/sysctl).
 */
function sharedSysctl({
	spec: { hostNetwork, hostIPC, securityContext },
}: FieldUse['pod']): string | undefined {
	for (const { name } of securityContext?.sysctls ?? []) {
		const normal = name.replaceAll('/', '.');
		if (normal.startsWith('net.') && hostNetwork) return `"${normal}" not allowed with host net`;
		if (normal.startsWith('kernel.') && hostIPC) return `"${normal}" not allowed with host ipc`;
	}
	return undefined;
}
