import type { MachineFacts, OuterContainer, RefusedTrial, SystemFacts } from './facts.ts';
import type { Explanation } from './finding.ts';

/**
 * Why the kernel refuses a namespace or a mount. The answer of the kernel (EPERM for most) does not say which rule refused
 * it: the first row whose condition holds names the file that does. Rows are in the order in which the kernel checks.
 */
const CAUSES: readonly CauseRow[] = [
	{
		when: ({ code, step }, { hasSeccompFilter }) => code === 'ENOSYS' && step === 'clone' && hasSeccompFilter,
		because: () =>
			'the system call filter (seccomp) of the container that stint runs in answers ENOSYS to clone3',
		fix: ({ outer }) => [withoutFilter(outer)],
	},
	{
		when: ({ code, step }) => code === 'ENOSYS' && step === 'clone',
		because: ({ kernel }) => `the kernel ${kernel} has no clone3, which came with Linux 5.3`,
		fix: () => ['install a newer kernel'],
	},
	{
		when: ({ code }, { sysctls }) => OUT_OF_NAMESPACES.includes(code) && exhausted(sysctls) !== undefined,
		because: ({ sysctls }) => `${fileOf(exhausted(sysctls) ?? '')} is 0`,
		fix: ({ sysctls }) => [sysctl(exhausted(sysctls) ?? '', '15000')],
	},
	{
		when: ({ code }) => OUT_OF_NAMESPACES.includes(code),
		because: () =>
			'this user has reached the limit in /proc/sys/user/max_user_namespaces, or 32 nested namespaces',
		fix: ({ sysctls }) => [
			sysctl('user.max_user_namespaces', String(2 * Number(sysctls['user.max_user_namespaces'] ?? 7500))),
		],
	},
	{
		when: ({ code }, system) => isDenied(code) && !isRoot(system) && system.sysctls[USERNS_CLONE] === '0',
		because: () => `${fileOf(USERNS_CLONE)} is 0: only root may make user namespaces`,
		fix: () => [sysctl(USERNS_CLONE, '1')],
	},
	{
		when: ({ code }, system) => isDenied(code) && !isRoot(system) && system.sysctls[APPARMOR_USERNS] === '1',
		because: () =>
			`${fileOf(APPARMOR_USERNS)} is 1: AppArmor lets only programs with a profile use user namespaces`,
		fix: () => [sysctl(APPARMOR_USERNS, '0')],
	},
	{
		when: ({ code, step }, { hasSeccompFilter }) =>
			code === 'EPERM' && (step === 'clone' || step === 'pivot') && hasSeccompFilter,
		because: () => 'a system call filter (seccomp) applies to stint, as in most containers',
		fix: ({ outer }) => [withoutFilter(outer)],
	},
	{
		when: ({ code }, { appArmorProfile }) => isDenied(code) && appArmorProfile !== undefined,
		because: ({ appArmorProfile }) => `the AppArmor profile ${appArmorProfile} applies to stint`,
		fix: ({ outer }) => [withoutProfile(outer)],
	},
	{
		when: ({ code, step, detail }) => code === 'EPERM' && step === 'mount' && detail === '/proc',
		because: () =>
			'parts of /proc are hidden by mounts, as in most containers, and the kernel allows no other /proc then',
		fix: ({ outer }) => [withWholeProc(outer)],
	},
	{
		when: ({ code }) => code === 'EINVAL',
		because: ({ kernel }) => `the kernel ${kernel} was built without it`,
		fix: () => [],
	},
	{
		when: ({ code }, system) => isDenied(code) && system.outer !== undefined,
		because: () => 'the container that stint runs in lacks the capability CAP_SYS_ADMIN',
		fix: ({ outer }) => [withoutFilter(outer)],
	},
];

interface CauseRow {
	when(refusal: RefusedTrial, system: SystemFacts): boolean;
	because(system: SystemFacts): string;
	fix(system: SystemFacts): readonly string[];
}

/** Why a namespace, or a mount in one, is refused. Empty if no file of this machine says it. */
export function causeOfRefusal(refusal: RefusedTrial, { system }: Pick<MachineFacts, 'system'>): Explanation {
	const row = CAUSES.find(({ when }) => when(refusal, system));
	return row ? { because: row.because(system), fix: row.fix(system) } : {};
}

/** The command that sets a kernel parameter until the next boot, and after it. */
export function sysctl(name: string, value: string): string {
	return `echo ${name}=${value} | sudo tee /etc/sysctl.d/60-stint.conf && sudo sysctl --system`;
}

const USERNS_CLONE = 'kernel.unprivileged_userns_clone';
const APPARMOR_USERNS = 'kernel.apparmor_restrict_unprivileged_userns';

/** What clone answers at a limit on the number of namespaces: that of `user.max_*`, and that of their nesting. */
const OUT_OF_NAMESPACES: readonly string[] = ['ENOSPC', 'EUSERS'];

/** The limits on the kinds of namespaces that a container gets. */
const NAMESPACE_LIMITS: readonly string[] = ['user', 'mnt', 'pid', 'ipc', 'uts'].map(
	(kind) => `user.max_${kind}_namespaces`,
);

/** The kernel parameters that explain refusals; main/doctor reads them. */
export const READ_SYSCTLS: readonly string[] = [...NAMESPACE_LIMITS, USERNS_CLONE, APPARMOR_USERNS];

/** The limit that allows no namespace at all; undefined if there is none. */
function exhausted(sysctls: SystemFacts['sysctls']): string | undefined {
	return NAMESPACE_LIMITS.find((name) => sysctls[name] === '0');
}

function fileOf(parameter: string): string {
	return `/proc/sys/${parameter.replaceAll('.', '/')}`;
}

function isDenied(code: string): boolean {
	return code === 'EPERM' || code === 'EACCES';
}

function isRoot({ uid }: SystemFacts): boolean {
	return uid === 0;
}

function withoutFilter(outer: OuterContainer | undefined): string {
	if (outer === 'kubernetes')
		return 'in the Pod that stint runs in, set securityContext.seccompProfile.type: Unconfined';
	return `${engine(outer)} run --security-opt seccomp=unconfined …`;
}

function withoutProfile(outer: OuterContainer | undefined): string {
	if (outer === undefined) return 'sudo aa-complain "$(command -v stint)"';
	if (outer === 'kubernetes')
		return 'in the Pod that stint runs in, set securityContext.appArmorProfile.type: Unconfined';
	return `${engine(outer)} run --security-opt apparmor=unconfined …`;
}

function withWholeProc(outer: OuterContainer | undefined): string {
	if (outer === 'kubernetes')
		return 'in the Pod that stint runs in, set securityContext.procMount: Unmasked and hostUsers: false';
	if (outer === 'podman') return 'podman run --security-opt unmask=ALL …';
	return `${engine(outer)} run --security-opt systempaths=unconfined …`;
}

/** The program that starts containers; Docker's flags are those of most others. */
function engine(outer: OuterContainer | undefined): string {
	return outer === 'podman' ? 'podman' : 'docker';
}
