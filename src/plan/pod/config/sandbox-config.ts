import type {
	PortMapping,
	SandboxConfig,
	SandboxDns,
	SandboxNamespaces,
} from '../../../api/contract/sandbox-config.ts';
import type { Pod, PodSpec } from '../../../api/core/pod/schema.ts';
import { isSidecar } from '../snapshot.ts';
import { sandboxHostnameOf } from './hostname.ts';
import { resourcesOf } from './resources.ts';
import { sandboxSecurityOf } from './security.ts';

/**
 * The configuration of a Pod's sandbox (upstream: `generatePodSandboxConfig` in kuberuntime_sandbox.go). `attempt` is
 * the number of sandboxes created for the Pod before. Throws if the host name with its domain is too long.
 */
export function sandboxConfigOf(pod: Pod, attempt: number): SandboxConfig {
	const { metadata, spec } = pod;
	const { name = '', namespace = '', uid = '' } = metadata;
	return {
		podUid: uid,
		podName: name,
		podNamespace: namespace,
		hostname: sandboxHostnameOf(pod),
		attempt,
		labels: { ...metadata.labels, ...podLabelsOf(pod) },
		annotations: metadata.annotations ?? {},
		namespaces: namespacesOf(spec),
		dns: dnsOf(spec),
		hostAliases: (spec.hostAliases ?? []).map(({ ip, hostnames = [] }) => ({ ip, hostnames })),
		ports: portsOf(spec),
		sysctls: Object.fromEntries(
			(spec.securityContext?.sysctls ?? []).map(({ name: key, value }) => [key.replaceAll('/', '.'), value]),
		),
		security: sandboxSecurityOf(spec),
		resources: resourcesOf(spec.resources),
	};
}

/** The labels with which the kubelet marks the sandbox and the containers of a Pod (labels.go). */
export function podLabelsOf({ metadata }: Pick<Pod, 'metadata'>): Readonly<Record<string, string>> {
	return {
		'io.kubernetes.pod.name': metadata.name ?? '',
		'io.kubernetes.pod.namespace': metadata.namespace ?? '',
		'io.kubernetes.pod.uid': metadata.uid ?? '',
	};
}

function namespacesOf({
	hostNetwork,
	hostIPC,
	hostPID,
	hostUsers,
	shareProcessNamespace,
}: PodSpec): SandboxNamespaces {
	return {
		network: hostNetwork ? 'node' : 'pod',
		ipc: hostIPC ? 'node' : 'pod',
		pid: hostPID ? 'node' : shareProcessNamespace ? 'pod' : 'container',
		user: hostUsers === false ? 'pod' : 'node',
	};
}

/** There is no cluster DNS: every policy but None starts from the node's configuration, as `Default` does upstream. */
function dnsOf({
	dnsPolicy,
	dnsConfig: { nameservers = [], searches = [], options = [] } = {},
}: PodSpec): SandboxDns {
	return {
		base: dnsPolicy === 'None' ? 'none' : 'node',
		servers: nameservers,
		searches,
		options: options.map(({ name = '', value }) => (value === undefined ? name : `${name}:${value}`)),
	};
}

/** The host ports of the containers that run beside each other. */
function portsOf({ containers, initContainers = [] }: PodSpec): readonly PortMapping[] {
	return [...containers, ...initContainers.filter(isSidecar)]
		.flatMap(({ ports = [] }) => ports)
		.flatMap(({ protocol = 'TCP', containerPort, hostPort = 0, hostIP = '' }) =>
			hostPort === 0 ? [] : [{ protocol, containerPort, hostPort, hostIP }],
		);
}
