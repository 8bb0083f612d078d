import type { PodSecurityContext, SecurityContext } from '../../../api/core/pod/schema.ts';
import type { Int64 } from '../../../base/json.ts';
import type { FieldRule, FieldUse } from './field-rule.ts';

/**
 * The rows for security contexts. They promise safety, so where the promise cannot be kept the container is
 * not started, never run with a warning.
 */
export const SECURITY_RULES: readonly FieldRule[] = [
	// runAsNonRoot stands before runAsUser, since upstream's kubelet checks in that order.
	...inBoth('runAsNonRoot', {
		effect: 'held',
		only: 'where stint runs as root',
		because: 'containers run as the user who runs stint, which is root',
		instead: 'run stint as another user',
		when: (use) => breaksNonRoot(use) !== undefined,
		exactly: (use) => breaksNonRoot(use) ?? '',
	}),
	...inBoth('runAsNonRoot', { effect: 'honoured', because: 'Containers do not run as root.' }),
	...inBoth('runAsUser', {
		effect: 'honoured',
		because: 'It is the user that containers run as.',
		when: ({ value, traits }) => value === traits.user?.uid,
	}),
	...inBoth('runAsUser', {
		effect: 'held',
		only: "another than stint's own",
		because: 'containers run as the user who runs stint',
		instead: 'remove the field, or run stint as that user',
		when: always,
	}),
	...inBoth('runAsGroup', {
		effect: 'honoured',
		because: 'It is the group that containers run as.',
		when: ({ value, traits }) => value === traits.user?.gid,
	}),
	...inBoth('runAsGroup', {
		effect: 'held',
		only: "another than stint's own",
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
		only: 'another than `Unconfined`',
		because: 'system calls of containers are not filtered yet',
		instead: 'remove the profile',
	}),
	...inBoth('appArmorProfile', {
		effect: 'harmless',
		because: 'AppArmor is not applied.',
		when: (use) => profileOf(use, 'appArmorProfile') === 'Unconfined',
	}),
	...inBoth('appArmorProfile', {
		effect: 'held',
		only: 'another than `Unconfined`',
		because: 'AppArmor profiles are not applied',
		instead: 'remove the profile',
	}),
	...inBoth('seLinuxOptions', {
		effect: 'held',
		because: 'SELinux labels are not applied',
		instead: 'remove the options',
	}),
	...inBoth('windowsOptions', {
		effect: 'held',
		because: 'containers do not run on Windows',
		instead: 'remove the options',
	}),
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
		only: "others than stint's own",
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
		only: "another than stint's own",
		because: 'containers have the groups of the user who runs stint',
		instead: 'remove the field, or run stint as a user of this group',
		when: ({ pod, traits }) => !hasGroup(traits, pod.spec.securityContext?.fsGroup),
	}),
	inPod('fsGroup', { effect: 'honoured', because: 'Containers have this group.' }),
	inPod('fsGroupChangePolicy', { effect: 'harmless', because: 'It says something about volumes only.' }),
	inPod('seLinuxChangePolicy', { effect: 'harmless', because: 'It says something about volumes only.' }),
	inPod('sysctls', {
		effect: 'rejected',
		only: 'that a kubelet does not allow',
		because: 'the parameter is not one of those that a kubelet allows',
		instead: 'remove it',
		when: ({ pod }) => unsafeSysctl(pod.spec.securityContext) !== undefined,
		exactly: ({ pod }) =>
			`forbidden sysctl: "${unsafeSysctl(pod.spec.securityContext) ?? ''}" not allowlisted`,
		reason: 'SysctlForbidden',
		byStint: true,
	}),
	inPod('sysctls', {
		effect: 'held',
		only: 'that a kubelet allows',
		because: 'containers have the kernel parameters of this machine',
		instead: 'remove the parameters, or set them on this machine',
	}),
	inContainer('privileged', {
		effect: 'held',
		because: 'containers have the rights of the user who runs stint, neither more nor less',
	}),
	inContainer('allowPrivilegeEscalation', {
		effect: 'held',
		only: '`false`',
		because: 'a container can still start programs that gain rights, such as sudo',
		when: ({ value }) => value === false,
	}),
	inContainer('allowPrivilegeEscalation', { effect: 'harmless', because: 'It is what processes may do.' }),
	inContainer('capabilities', {
		effect: 'held',
		because: 'containers have the capabilities of the user who runs stint',
		when: ({ container }) => {
			const { add = [], drop = [] } = container.securityContext?.capabilities ?? {};
			return add.length + drop.length > 0;
		},
	}),
	inContainer('readOnlyRootFilesystem', {
		effect: 'held',
		because: 'containers use the file system of this machine with the rights of the user who runs stint',
	}),
	inContainer('procMount', {
		effect: 'held',
		only: '`Unmasked`',
		because: 'containers see /proc of this machine as it is',
		when: ({ value }) => value !== 'Default',
	}),
	inContainer('procMount', { effect: 'harmless', because: 'It is the default.' }),
];

const APP_ARMOR_ANNOTATION = 'container.apparmor.security.beta.kubernetes.io/';

/** The parameters that a kubelet allows without being told (upstream: `sysctl.SafeSysctlAllowlist`). */
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

/** A field that a container may set for itself in place of the Pod's. */
function inBoth(name: keyof SecurityContext & keyof PodSecurityContext, rule: Rule): readonly FieldRule[] {
	return [inPod(name, rule), inContainer(name, rule)];
}

function always(): boolean {
	return true;
}

/** Upstream's `verifyRunAsNonRoot`: what the container breaks of the promise, or undefined. */
function breaksNonRoot({ value, pod, container, traits }: FieldUse): string | undefined {
	if (value !== true) return undefined;
	const { name = '', namespace = '', uid = '' } = pod.metadata;
	const which = `(pod: "${name}_${namespace}(${uid})", container: ${container.name})`;
	const wanted = container.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser;
	if (wanted !== undefined) {
		return wanted === 0 ? `container's runAsUser breaks non-root policy ${which}` : undefined;
	}
	const isRoot = traits.user === undefined || traits.user.uid === 0;
	return isRoot ? `container has runAsNonRoot and image will run as root ${which}` : undefined;
}

function profileOf(
	{ pod, container }: FieldUse,
	name: 'seccompProfile' | 'appArmorProfile',
): string | undefined {
	return (container.securityContext?.[name] ?? pod.spec.securityContext?.[name])?.type;
}

function hasGroup({ user }: FieldUse['traits'], group: Int64 | undefined): boolean {
	// An id beyond 2^53 is no group of a process.
	return typeof group === 'number' && (user?.gid === group || (user?.groups.includes(group) ?? false));
}

/** The first parameter that a kubelet would not set. Slashes mean dots where the kernel's name has them. */
function unsafeSysctl({ sysctls = [] }: PodSecurityContext = {}): string | undefined {
	return sysctls.find(({ name }) => !SAFE_SYSCTLS.has(name.replaceAll('/', '.')))?.name;
}
