/** What the engine is asked to create for a container. Pure. */
import type {
	ContainerConfig,
	ContainerResources,
	ContainerSecurity,
} from '../../../api/contract/container-config.ts';
import type { SandboxMetadata, SandboxNamespaces } from '../../../api/contract/sandbox-config.ts';
import { cpuAmounts } from '../../cpu-amounts.ts';
import { verifyNonRoot } from '../../non-root.ts';
import { engineNameOf } from '../engine/engine-images.ts';
import type { SandboxSetup } from '../sandbox-records.ts';
import type { BindMount } from './bind-mounts.ts';

/** What the body depends on beside the configuration. */
export interface BodyFacts {
	readonly sandbox: SandboxMetadata;
	readonly setup: SandboxSetup;
	readonly labels: Readonly<Record<string, string>>;
	readonly mounts: readonly BindMount[];
	/** The user of the image. */
	readonly imageUser: string;
	/** The engine's id of the container whose processes this one sees. */
	readonly targetEngineId?: string;
	/** How many processes the container may have; 0: no limit of stint. */
	readonly maxPids: number;
	/** The driver of the engine's log. */
	readonly log: { readonly Type: string; readonly Config: Readonly<Record<string, string>> };
}

/** The body of the call that creates a container. Throws ContainerStartError. */
export function containerBody(config: ContainerConfig, facts: BodyFacts): Readonly<Record<string, unknown>> {
	const { command, args, env, workingDir, stdin, stdinOnce, tty, stopSignal, image, security } = config;
	verifyNonRoot(config, facts.sandbox, facts.imageUser);
	const user = userOf(security, facts.imageUser);
	const { network } = facts.setup.namespaces;
	return {
		Image: engineNameOf(image),
		...(command.length > 0 && { Entrypoint: command }),
		...(args.length > 0 && { Cmd: args }),
		Env: env.map(({ name, value }) => `${name}=${value}`),
		...(workingDir !== '' && { WorkingDir: workingDir }),
		...(user !== undefined && { User: user }),
		...(network === 'pod' && { Hostname: facts.sandbox.hostname.slice(0, LONGEST_HOSTNAME) }),
		OpenStdin: stdin,
		StdinOnce: stdin && stdinOnce,
		Tty: tty,
		...(stopSignal !== undefined && { StopSignal: stopSignal }),
		// Probes decide in Kubernetes, and not the image.
		Healthcheck: { Test: ['NONE'] },
		Labels: facts.labels,
		HostConfig: hostConfigOf(config, facts),
	};
}

/** The longest host name that the kernel takes. */
const LONGEST_HOSTNAME = 64;
const HOSTS_PATH = '/etc/hosts';

function hostConfigOf(config: ContainerConfig, facts: BodyFacts): Readonly<Record<string, unknown>> {
	const { security, resources, devices, mounts, oomScoreAdj } = config;
	const { setup, log, maxPids } = facts;
	const hasHosts = mounts.some(({ containerPath }) => containerPath === HOSTS_PATH);
	return {
		...namespacesOf(setup.namespaces, facts.targetEngineId),
		...securityOf(security),
		...engineResources(resources),
		// A lower score than the engine's own needs a capability that an engine may lack.
		...(oomScoreAdj > 0 && { OomScoreAdj: oomScoreAdj }),
		...(maxPids > 0 && { PidsLimit: maxPids }),
		Mounts: facts.mounts,
		Devices: devices.map(({ hostPath, containerPath, readOnly }) => ({
			PathOnHost: hostPath,
			PathInContainer: containerPath,
			CgroupPermissions: readOnly ? 'rm' : 'rwm',
		})),
		// The mounted file has the names.
		ExtraHosts: hasHosts
			? []
			: setup.hostAliases.flatMap(({ ip, hostnames }) => hostnames.map((name) => `${name}:${ip}`)),
		LogConfig: log,
		// The node agent restarts containers, and the engine never does.
		RestartPolicy: { Name: 'no' },
	};
}

/** All containers have the network of the host. */
function namespacesOf(
	{ network, ipc, pid }: SandboxNamespaces,
	target: string | undefined,
): Record<string, string> {
	const pidMode = target === undefined ? (pid === 'node' ? 'host' : '') : `container:${target}`;
	return {
		NetworkMode: 'host',
		IpcMode: ipc === 'node' ? 'host' : 'private',
		PidMode: pidMode,
		...(network === 'node' && { UTSMode: 'host' }),
	};
}

function securityOf(security: ContainerSecurity): Readonly<Record<string, unknown>> {
	const { privileged = false, capabilities, readOnlyRootFilesystem, supplementalGroups } = security;
	const isUnfiltered = privileged || security.seccompProfile?.type === 'Unconfined';
	return {
		Privileged: privileged,
		CapAdd: capabilities.add.map(plainCapability),
		CapDrop: capabilities.drop.map(plainCapability),
		ReadonlyRootfs: readOnlyRootFilesystem,
		GroupAdd: supplementalGroups.map(String),
		SecurityOpt: [
			...(security.noNewPrivileges ? ['no-new-privileges'] : []),
			...(isUnfiltered ? ['seccomp=unconfined'] : []),
		],
	};
}

function plainCapability(name: string): string {
	return name.toUpperCase().replace(/^CAP_/, '');
}

/** The resources as the engine's API takes them, in the creation and in an update. */
export function engineResources({ requests, limits }: ContainerResources): Readonly<Record<string, number>> {
	const { shares, period, quota } = cpuAmounts({ requests, limits });
	const { memoryBytes = 0 } = limits;
	return {
		CpuShares: shares,
		...(quota > 0 && { CpuPeriod: period, CpuQuota: quota }),
		// Containers do not swap, as on a kubelet by default: the second is the sum of memory and swap.
		...(memoryBytes > 0 && { Memory: memoryBytes, MemorySwap: memoryBytes }),
	};
}

/** Undefined: the user of the image. */
function userOf({ runAsUser, runAsGroup }: ContainerSecurity, imageUser: string): string | undefined {
	if (runAsUser === undefined && runAsGroup === undefined) return undefined;
	const user = runAsUser ?? (imageUser.split(':')[0] || '0');
	return runAsGroup === undefined ? `${user}` : `${user}:${runAsGroup}`;
}
