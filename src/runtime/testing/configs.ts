/** Configurations for tests of runtimes: those of a Pod that says nothing but what the test gives. */
import type { ContainerConfig, ContainerSecurity } from '../../api/contract/container-config.ts';
import type { SandboxConfig } from '../../api/contract/sandbox-config.ts';

const NO_RESOURCES = { requests: { others: {} }, limits: { others: {} } };

const SECURITY: ContainerSecurity = {
	runAsNonRoot: false,
	supplementalGroups: [],
	supplementalGroupsPolicy: 'Merge',
	privileged: false,
	capabilities: { add: [], drop: [] },
	noNewPrivileges: false,
	readOnlyRootFilesystem: false,
	procMount: 'Default',
	seccompProfile: undefined,
	appArmorProfile: undefined,
	seLinuxOptions: undefined,
	windowsOptions: undefined,
};

/** A container `main` of the image busybox, with these fields. */
export function containerConfig(fields: Partial<ContainerConfig> = {}): ContainerConfig {
	return {
		...{ name: 'main', attempt: 0, image: 'busybox', command: [], args: [], env: [], workingDir: '' },
		...{ stdin: false, stdinOnce: false, tty: false, resources: NO_RESOURCES, security: SECURITY },
		oomScoreAdj: 1000,
		...{
			mounts: [],
			devices: [],
			terminationMessagePath: '',
			terminationMessageFile: '',
			stopSignal: undefined,
			targetContainerId: undefined,
		},
		...{ labels: {}, annotations: {}, logPath: '/log', ...fields },
	};
}

/** The first sandbox of the Pod `pod` in the namespace default. */
export function sandboxConfig(pod: string, fields: Partial<SandboxConfig> = {}): SandboxConfig {
	return {
		...{ podUid: `uid-${pod}`, podName: pod, podNamespace: 'default', hostname: pod, attempt: 0 },
		...{ labels: {}, annotations: {}, hostAliases: [], ports: [], sysctls: {}, resources: NO_RESOURCES },
		namespaces: { network: 'pod', ipc: 'pod', pid: 'container', user: 'node' },
		dns: { base: 'node', servers: [], searches: [], options: [] },
		security: {
			...{ supplementalGroups: [], privileged: false },
			...{ seccompProfile: undefined, seLinuxOptions: undefined },
		},
		...fields,
	};
}
