import type { ContainerSecurity } from '../../../api/contract/container-config.ts';
import type { SandboxSecurity } from '../../../api/contract/sandbox-config.ts';
import type {
	Container,
	PodSecurityContext,
	PodSpec,
	SecurityContext,
} from '../../../api/core/pod/schema.ts';
import { approximate } from '../../../base/json/json.ts';

/**
 * The effective security settings (upstream: `DetermineEffectiveSecurityContext` in pkg/securitycontext, and
 * `determineEffectiveSecurityContext` in pkg/kubelet/kuberuntime). Validation bounds user and group ids to 31 bits.
 */

/** The settings of a container: a field of its own overrides that of the Pod. */
export function containerSecurityOf(
	{ securityContext: pod = {} }: PodSpec,
	container: Container,
): ContainerSecurity {
	const own = container.securityContext ?? {};
	return {
		...userOf({
			runAsUser: own.runAsUser ?? pod.runAsUser,
			runAsGroup: own.runAsGroup ?? pod.runAsGroup,
		}),
		runAsNonRoot: own.runAsNonRoot ?? pod.runAsNonRoot ?? false,
		supplementalGroups: groupsOf(pod),
		supplementalGroupsPolicy: pod.supplementalGroupsPolicy ?? 'Merge',
		privileged: own.privileged,
		capabilities: { add: own.capabilities?.add ?? [], drop: own.capabilities?.drop ?? [] },
		noNewPrivileges: own.allowPrivilegeEscalation === false,
		readOnlyRootFilesystem: own.readOnlyRootFilesystem ?? false,
		procMount: own.procMount ?? 'Default',
		seccompProfile: own.seccompProfile ?? pod.seccompProfile,
		appArmorProfile: own.appArmorProfile ?? pod.appArmorProfile,
		seLinuxOptions: own.seLinuxOptions ?? pod.seLinuxOptions,
		windowsOptions: windowsOf(pod, own),
	};
}

/** The settings of the sandbox. */
export function sandboxSecurityOf({
	securityContext: pod = {},
	containers,
	initContainers = [],
}: PodSpec): SandboxSecurity {
	const all = [...initContainers, ...containers];
	return {
		...userOf(pod),
		supplementalGroups: groupsOf(pod),
		privileged: all.some(({ securityContext }) => securityContext?.privileged ?? false),
		seccompProfile: pod.seccompProfile,
		seLinuxOptions: pod.seLinuxOptions,
	};
}

function userOf({
	runAsUser,
	runAsGroup,
}: Pick<PodSecurityContext, 'runAsUser' | 'runAsGroup'>): Pick<
	ContainerSecurity,
	'runAsUser' | 'runAsGroup'
> {
	return {
		...(runAsUser !== undefined && { runAsUser: approximate(runAsUser) }),
		...(runAsGroup !== undefined && { runAsGroup: approximate(runAsGroup) }),
	};
}

function groupsOf({ supplementalGroups = [], fsGroup }: PodSecurityContext): readonly number[] {
	return [...supplementalGroups, ...(fsGroup === undefined ? [] : [fsGroup])].map(approximate);
}

/** The options for Windows are the only ones that a container overrides one by one. */
function windowsOf(pod: PodSecurityContext, own: SecurityContext): SecurityContext['windowsOptions'] {
	if (!pod.windowsOptions || !own.windowsOptions) return own.windowsOptions ?? pod.windowsOptions;
	return { ...pod.windowsOptions, ...own.windowsOptions };
}
